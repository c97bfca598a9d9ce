#pragma once

#include <array>
#include <chrono>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/variable.h"
#include "engine/runtime/accumulator.h"
#include "engine/runtime/recordings.h"
#include "engine/runtime/window.h"

namespace prospero {

/// Where the values are known: x [1] (float64) is 1000 epochs + steps, y [4] (float32) moves every
/// seventh step.
struct KnownValues {
  KnownValues() {
    x_index = Add("x", {1}, DataType::kFloat64, &x);
    y_index = Add("y", {4}, DataType::kFloat32, y.data());
    Set({});
  }
  void Set(Cursor cursor) {
    x = 1000.0 * static_cast<double>(cursor.epoch) + static_cast<double>(cursor.step);
    for (size_t i = 0; i < y.size(); ++i) {
      y[i] = static_cast<float>(cursor.step / 7) + static_cast<float>(i);
    }
  }

  VariableTable table;
  int x_index, y_index;
  double x = 0;
  std::array<float, 4> y = {};

 private:
  int Add(const char* name, std::vector<int64_t> shape, DataType type, void* data) {
    Variable variable;
    variable.name = name;
    variable.role = Role::kState;
    variable.type = type;
    variable.strides = PackedStrides(shape);
    variable.shape = std::move(shape);
    variable.data = data;
    return table.Add(std::move(variable));
  }
};

/// What a recording must make, found a second time without haste: all values since it began, in
/// doubles.
class ExpectedSamples {
 public:
  struct Sample {
    Place place;
    std::string bytes;
  };

  ExpectedSamples(const KnownValues& values, std::vector<Selection> selections, Cursor began)
      : began_(began), values_(values) {
    for (Selection& selection : selections) courses_.push_back({std::move(selection), {}, {}});
  }

  void AfterStep(Cursor cursor) {
    for (uint32_t i = 0; i < courses_.size(); ++i) {
      Course& course = courses_[i];
      course.interval.push_back(Rows(course.selection));
      if (cursor.step % course.selection.every_steps != 0) continue;
      const std::vector<double> sample = Aggregate(course);
      course.interval.clear();
      if (IsLeftOut(course, sample)) continue;
      course.last = sample;
      made_.push_back({{cursor, i}, Pack(course.selection, sample)});
    }
  }
  void EpochChanged() {
    for (Course& course : courses_) {
      course.interval.clear();
      course.last.clear();
    }
  }
  /// What a selection shows at once.
  std::string Present(uint32_t selection) const {
    Course course = courses_[selection];
    course.interval = {Rows(course.selection)};
    return Pack(course.selection, Aggregate(course));
  }

  Cursor began() const { return began_; }
  const std::vector<Sample>& made() const { return made_; }
  size_t selections() const { return courses_.size(); }
  /// Index of the first one behind a place.
  size_t Behind(const Place& place) const {
    size_t index = 0;
    while (index < made_.size() && made_[index].place <= place) ++index;
    return index;
  }

 private:
  struct Course {
    Selection selection;
    std::vector<std::vector<double>> interval;
    std::vector<double> last;
  };

  std::vector<double> Rows(const Selection& selection) const {
    std::vector<double> row;
    for (const int index : selection.variables) {
      if (index == values_.x_index) row.push_back(values_.x);
      if (index == values_.y_index) row.insert(row.end(), values_.y.begin(), values_.y.end());
    }
    return row;
  }
  static std::vector<double> Aggregate(const Course& course) {
    std::vector<double> row = course.interval.back();
    if (course.selection.aggregation == Aggregation::kLast) return row;
    for (size_t i = 0; i < row.size(); ++i) {
      double sum = 0;
      for (const auto& step : course.interval) sum += step[i];
      row[i] = sum / static_cast<double>(course.interval.size());
    }
    return row;
  }
  static bool IsLeftOut(const Course& course, const std::vector<double>& sample) {
    if (!course.selection.on_change.has_value() || course.last.empty()) return false;
    for (size_t i = 0; i < sample.size(); ++i) {
      if (std::abs(sample[i] - course.last[i]) > *course.selection.on_change) return false;
    }
    return true;
  }
  std::string Pack(const Selection& selection, const std::vector<double>& row) const {
    std::string bytes;
    size_t at = 0;
    for (const int index : selection.variables) {
      for (int64_t i = 0; i < values_.table[index].size(); ++i, ++at) {
        const auto narrow = static_cast<float>(row[at]);
        if (index == values_.x_index) {
          bytes.append(reinterpret_cast<const char*>(&row[at]), sizeof(double));
        } else {
          bytes.append(reinterpret_cast<const char*>(&narrow), sizeof(float));
        }
      }
    }
    return bytes;
  }

  const Cursor began_;
  const KnownValues& values_;
  std::vector<Course> courses_;
  std::vector<Sample> made_;
};

}  // namespace prospero
