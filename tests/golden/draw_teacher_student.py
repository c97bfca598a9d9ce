#!/usr/bin/env python3
"""Draws what the published teacher-student protocol of the microcircuit draws (Fig. 4ab; needs numpy).

    draw_teacher_student.py FOLDER

writes FOLDER/microcircuit_teacher_student.golden, as tests/support/trace.h says, for students of the
official seeds and the teacher that belongs to the first of them:

    x [100]                                  the samples
    order [10, 100]                          their order in the epochs of the first student
    teacher.u [3]                            first potentials: hidden, output, interneuron
    student.u [5, 3]  .W [5, 2]  .B [5]      of each student

A network draws its potentials from the generator of its seed, which then starts again for its weights.
"""
import pathlib
import sys

import numpy

from convert import write

SEEDS = (123, 456, 789, 111, 222)
SAMPLES, EPOCHS = 100, 10


def potentials(seed):
    return numpy.random.RandomState(seed).normal(size=3)


def weights(seed):
    """W of both layers and B, on [-1, 0); that of V is drawn before B and not used."""
    W1, W2, _, B = numpy.random.RandomState(seed).uniform(-1, 0, 4)
    return [W1, W2], B


def orders(seed):
    """Each epoch shuffles what the last one left."""
    generator, order = numpy.random.RandomState(seed), numpy.arange(SAMPLES)
    for _ in range(EPOCHS):
        generator.shuffle(order)
        yield order.tolist()


def draw(folder):
    teacher = int(numpy.random.RandomState(SEEDS[0]).randint(100000, 999999))
    drawn = [weights(seed) for seed in SEEDS]
    arrays = {"x": numpy.random.RandomState(teacher).uniform(0, 1, SAMPLES).tolist(),
              "order": list(orders(SEEDS[0])),
              "teacher.u": potentials(teacher).tolist(),
              "student.u": [potentials(seed).tolist() for seed in SEEDS],
              "student.W": [W for W, _ in drawn],
              "student.B": [B for _, B in drawn]}
    with open(folder / "microcircuit_teacher_student.golden", "wb") as out:
        write(out, {"seeds": SEEDS, "teacher": teacher}, arrays.items())


if __name__ == "__main__":
    draw(pathlib.Path(sys.argv[1]))
