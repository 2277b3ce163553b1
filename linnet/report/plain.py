"""The page for people who decide: what was tested, what that does not say, what it costs, how to check it."""

from __future__ import annotations

from linnet.evidence import Scores
from linnet.report.contents import Contents
from linnet.report.counting import counted, in_words, listed, milliseconds, plural, size, times
from linnet.report.words import FEW, bench_before, groups_tested, noun, shipped_bench, shipped_size, times_smaller

_ONE_COLLECTION = {"recording": "Other microphones, rooms and ways of speaking were not tested.",
                   "image": "Other cameras, scanners and hands were not tested.",
                   "text": "Other people, and other ways of writing, were not tested.",
                   "row": "Rows from elsewhere were not tested."}


def tested_on(contents: Contents) -> list[str]:
    """Which samples the numbers speak of, and what was held back for them."""
    scores = contents.after
    if scores is None:
        return []
    population = scores.data.population
    is_named = population.startswith(plural(noun(contents)))
    count = f"{len(scores):,}" if is_named else f"{counted(len(scores), noun(contents)).capitalize()}:"
    said = [f"{count} {population}."]
    groups = groups_tested(contents)
    if groups and scores.data.part == "test":
        by, names = groups
        said.append(f"Nothing of {listed(names)} was used in this training or its validation: "
                    f"the {plural(by)} are other ones there.")
    rows = {part["part"]: part["rows"] for part in contents.data if part.get("part")}
    if "train" in rows and "validation" in rows:
        said.append(f"It learned from {rows['train']:,} and was chosen on {rows['validation']:,} others.")
    return said


def limits(contents: Contents) -> list[str]:
    """What the numbers do not say."""
    scores = contents.after
    if scores is None:
        return []
    said = [_always_the_same(scores), _few_groups(contents, scores), _looked_at(contents)]
    if contents.task is not None and contents.task.loss == "cross_entropy":
        said.append(f"It always answers with one of its {in_words(len(contents.task.labels))} labels, "
                    "also where none of them is right.")
    collection = _ONE_COLLECTION.get(noun(contents))
    if collection:
        source = scores.data.origin.get("source")
        said.append(f"All samples come from one collection{f' ({source})' if source else ''}. {collection}")
    return [text for text in said if text]


def costs(contents: Contents) -> list[str]:
    """Size, time and memory of the shipped file, against the one before where it was measured."""
    said = []
    shipped, ratio = shipped_size(contents), times_smaller(contents)
    if shipped:
        smaller = f", {times(ratio)} times smaller than what it was made from" if ratio and ratio >= 1.1 else ""
        said.append(f"{size(shipped)}{smaller}.{_with_claims(contents, shipped)}")
    bench = shipped_bench(contents)
    if bench is not None:
        said.append(f"95 of 100 answers come within {milliseconds(bench.p95_ms)} on {bench.processor}, "
                    f"{counted(bench.threads, 'thread')}.")
        before = bench_before(contents)
        if before is not None:
            ratio = bench.p50_ms / before.p50_ms
            said.append(f"An answer takes {ratio:.2f} times as long as with what it was made from.")
        peak = bench.peak_memory_mb
        memory = "Memory: not measured" if peak is None else f"{peak:.1f} MB of memory at most"
        said.append(f"{memory}; energy: {bench.energy}.")
    return said


def check(contents: Contents) -> list[str]:
    """How anybody can derive the claims again."""
    if not contents.verify_command:
        return []
    return ["The file carries its claims. This derives each of them again, from the file and the data:",
            contents.verify_command,
            "It answers with 0 where all hold, 1 where one fails or was edited, 2 where one cannot be decided."]


def _with_claims(contents: Contents, shipped: int) -> str:
    on_disk = contents.file.stat().st_size if contents.file is not None and contents.file.exists() else shipped
    return f" With the claims that it carries {size(on_disk)}." if on_disk > shipped else ""


def _few_groups(contents: Contents, scores: Scores) -> str:
    groups = groups_tested(contents)
    if groups is None:
        if scores.data.part != "test" or not scores.groups:
            return ""
        by = next(iter(scores.groups))
        return f"The test part was not split off by {by}: new {plural(by)} may fare worse than these numbers."
    by, names = groups
    if len(names) >= FEW:
        return ""
    say = "says" if len(names) == 1 else "say"
    return (f"{counted(len(names), by).capitalize()} {say} little about all others: expect some to fare clearly "
            f"worse. A promise about new {plural(by)} takes at least {in_words(FEW)} of them in the test.")


def _always_the_same(scores: Scores) -> str:
    if len(scores) < 2 or len(set(scores.answers)) > 1 or len(set(scores.targets)) < 2:
        return ""
    return (f"It gave the same answer ({scores.answers[0]}) to all {len(scores):,}: it has learned to tell nothing "
            "apart. Train longer, or with more samples.")


def _looked_at(contents: Contents) -> str:
    files = len({look.subject for look in contents.looks})
    if files < 2:
        return ""
    return (f"{in_words(files).capitalize()} models were tried on this test part so far. The more one tries and "
            "chooses there, the more of a good number is luck: the claims reckon with that and are harder to meet each "
            "time, the plain numbers do not.")
