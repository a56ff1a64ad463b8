"""The Pareto front and names that keep off each other."""

from cefl_bench.functional.pareto import pareto_front
from cefl_bench.functional.plot_labels import place_labels


def test_front_is_what_nothing_beats_at_its_cost():
    cost, value = [4, 9, 9, 30, 2, 50], [0.6, 0.65, 0.62, 0.65, 0.3, 0.7]
    assert pareto_front(cost, value) == [4, 0, 1, 5], "as good for more is not on the front, nor worse for the same"


def test_of_equals_the_first_stays_and_one_alone_is_a_front():
    assert pareto_front([1, 1], [0.5, 0.5]) == [0]
    assert pareto_front([7], [0.1]) == [0]
    assert pareto_front([], []) == []


def test_no_name_covers_another_or_a_point_and_what_has_no_room_has_none():
    points = [(100.0, 50.0), (104.0, 53.0), (108.0, 50.0), (296.0, 50.0)]
    labels = place_labels(points, [60.0] * 4, (300, 100), 12)
    boxes = []
    for (x, y), label in zip(points, labels, strict=True):
        left = x + label.dx - {"start": 0, "middle": 30, "end": 60}[label.anchor]
        boxes.append((left, y + label.dy - 6, left + 60, y + label.dy + 6))
    for place, (left, top, right, bottom) in enumerate(boxes):
        assert right < 315, "inside the plot"
        assert not any(left < x < right and top < y < bottom for x, y in points)
        for other in boxes[:place]:
            assert left >= other[2] or right <= other[0] or top >= other[3] or bottom <= other[1]
    crowd = place_labels([(50.0, 50.0)] * 30, [60.0] * 30, (300, 100), 12)
    assert crowd[-1] is None


def test_a_line_is_covered_only_where_there_is_no_other_place():
    right_of_it = (60.0, 45.0, 200.0, 55.0)
    (label,) = place_labels([(50.0, 50.0)], [60.0], (300, 100), 12, [right_of_it])
    assert label.dy < 0, "above, since the right is a line's and the left is outside"
    (label,) = place_labels([(50.0, 50.0)], [60.0], (300, 100), 12, [(0.0, 0.0, 300.0, 100.0)])
    assert label is not None
