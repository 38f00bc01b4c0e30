"""Random annotations and detections, and what sed_eval 0.2.1 and psds_eval 0.5.3 say of them -> events.json.

    python3 -m venv venv && venv/bin/pip install sed_eval==0.2.1 psds_eval==0.5.3 numpy==2.2.6 pandas==2.2.3
    venv/bin/python make_events.py
"""

import json
import random
import warnings

import dcase_util
import pandas
import psds_eval
import sed_eval

warnings.simplefilter("ignore")
CLASSES = ["a", "b", "c"]
DURATIONS = [30.0, 41.5, 25.25]
numbers = random.Random(7)


def rounded(value):
    return round(value, 3)


def apart(sounds):
    """Without those that overlap another of their class, which psds_eval refuses."""
    kept = []
    for file, kind, onset, offset in sounds:
        overlaps = lambda other: other[:2] == [file, kind] and onset < other[3] and other[2] < offset  # noqa: E731
        if not any(overlaps(other) for other in kept):
            kept.append([file, kind, onset, offset])
    return kept


def truth():
    sounds = []
    for file, duration in enumerate(DURATIONS):
        for _ in range(9):
            onset = rounded(numbers.uniform(0, duration - 5))
            length = rounded(numbers.uniform(0.2, 4))
            sounds.append([file, numbers.randrange(3), onset, rounded(onset + length)])
    return apart(sounds)


def found(sounds, misses, extra, jitter):
    """Some of them, shifted; some as another class; some that are not there."""
    detections = []
    for file, kind, onset, offset in sounds:
        if numbers.random() < misses:
            continue
        if numbers.random() < 0.1:
            kind = numbers.randrange(3)
        start = max(0, onset + numbers.gauss(0, jitter))
        end = offset + numbers.gauss(0, jitter)
        if end > start + 0.05:
            detections.append([file, kind, rounded(start), rounded(min(end, DURATIONS[file]))])
    for _ in range(extra):
        file = numbers.randrange(3)
        onset = numbers.uniform(0, DURATIONS[file] - 3)
        detections.append([file, numbers.randrange(3), rounded(onset), rounded(onset + numbers.uniform(0.1, 3))])
    return apart(detections)


def events(sounds, file):
    rows = [
        {"filename": str(f), "event_label": CLASSES[kind], "onset": onset, "offset": offset}
        for f, kind, onset, offset in sounds
        if f == file
    ]
    return dcase_util.containers.MetaDataContainer(rows)


def sed(reference, detections, collar):
    by_event = lambda offset: sed_eval.sound_event.EventBasedMetrics(  # noqa: E731
        event_label_list=CLASSES,
        t_collar=collar,
        percentage_of_length=0.5,
        evaluate_onset=True,
        evaluate_offset=offset,
        event_matching_type="optimal",
    )
    onset, both = by_event(False), by_event(True)
    segments = sed_eval.sound_event.SegmentBasedMetrics(event_label_list=CLASSES, time_resolution=1.0)
    for file in range(len(DURATIONS)):
        for metric in (onset, both, segments):
            metric.evaluate(events(reference, file), events(detections, file))
    f1 = lambda metric: metric.results_overall_metrics()["f_measure"]["f_measure"]  # noqa: E731
    per_class = [onset.results_class_wise_metrics()[name]["f_measure"]["f_measure"] for name in CLASSES]
    return {
        "collar": collar,
        "onset": f1(onset),
        "onset_per_class": per_class,
        "offset": f1(both),
        "segments": f1(segments),
    }


def table(sounds):
    rows = [[str(file), onset, offset, CLASSES[kind]] for file, kind, onset, offset in sounds]
    return pandas.DataFrame(rows, columns=["filename", "onset", "offset", "event_label"])


def psds(reference, points, dtc, gtc, cttc, alpha_ct, alpha_st, max_efpr):
    metadata = pandas.DataFrame({"filename": [str(n) for n in range(3)], "duration": DURATIONS})
    evaluation = psds_eval.PSDSEval(
        dtc_threshold=dtc, gtc_threshold=gtc, cttc_threshold=cttc,
        ground_truth=table(reference), metadata=metadata, class_names=CLASSES,
    )
    for point in points:
        evaluation.add_operating_point(table(point))
    return evaluation.psds(alpha_ct=alpha_ct, alpha_st=alpha_st, max_efpr=max_efpr).value


cases = []
for _ in range(3):
    reference = truth()
    points = [found(reference, 0.9 - 0.1 * n, 2 * n, 0.1 + 0.05 * n) for n in range(9)]
    cases.append({
        "truth": reference,
        "points": points,
        "durations": DURATIONS,
        "sed_eval": [sed(reference, points[5], collar) for collar in (0.2, 0.5)],
        "psds_eval": [
            [*arguments, psds(reference, points, *arguments)]
            for arguments in ((0.7, 0.7, 0.3, 0, 1, 100), (0.1, 0.1, 0.3, 0.5, 1, 100), (0.5, 0.5, 0.3, 0.5, 0, 400))
        ],
    })
with open("events.json", "w") as file:
    json.dump(cases, file)
    file.write("\n")
for case in cases:
    print(case["sed_eval"], case["psds_eval"])
