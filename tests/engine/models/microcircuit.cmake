# The tests of microcircuit.

add_library(prospero_circuit_support STATIC EXCLUDE_FROM_ALL
  ${PROJECT_SOURCE_DIR}/tests/support/circuit.cc
  ${PROJECT_SOURCE_DIR}/tests/support/teacher_student.cc)
target_link_libraries(prospero_circuit_support
  PUBLIC prospero_test_support
  PRIVATE prospero_options)

prospero_test(NAME microcircuit_golden_test SOURCES microcircuit_golden_test.cc
  LIBS prospero_test_support)
prospero_test(NAME microcircuit_fixed_point_test SOURCES microcircuit_fixed_point_test.cc
  LIBS prospero_circuit_support)
prospero_test(NAME microcircuit_alignment_test SOURCES microcircuit_alignment_test.cc
  LIBS prospero_circuit_support)
prospero_test(NAME microcircuit_loop_gain_test SOURCES microcircuit_loop_gain_test.cc
  LIBS prospero_circuit_support)
prospero_test(NAME microcircuit_check_test SOURCES microcircuit_check_test.cc
  LIBS prospero_circuit_support)
prospero_test(NAME microcircuit_test SOURCES microcircuit_test.cc LIBS prospero_circuit_support)
prospero_test(NAME microcircuit_learning_test SOURCES microcircuit_learning_test.cc
  LIBS prospero_circuit_support)
# Sanitizers need malloc for themselves.
if(NOT PROSPERO_SANITIZE)
  prospero_test(NAME microcircuit_allocation_test
    SOURCES microcircuit_allocation_test.cc ${PROJECT_SOURCE_DIR}/tests/support/no_alloc.cc
    LIBS prospero_circuit_support)
  prospero_test(NAME microcircuit_memory_test
    SOURCES microcircuit_memory_test.cc
    LIBS prospero_circuit_support)
endif()
prospero_test(NAME microcircuit_teacher_test SOURCES microcircuit_teacher_test.cc
  LIBS prospero_circuit_support)
prospero_test(NAME microcircuit_figures_test SOURCES microcircuit_figures_test.cc
  LIBS prospero_circuit_support LABELS slow)
prospero_test(NAME microcircuit_bars_test SOURCES microcircuit_bars_test.cc
  LIBS prospero_circuit_support)
