"""The sentence: what a run found, so that a layman understands it and a statistician accepts it."""

from __future__ import annotations

from collections.abc import Sequence

from linnet import runtime
from linnet.evidence import Claim, DataRef, Scores
from linnet.evidence.intervals import binomial_lower
from linnet.report.contents import Contents
from linnet.report.counting import bound_in_hundred, counted, in_hundred, in_words, percent, plural, scale, size, times
from linnet.report.verdicts import SAID, asked, counts, is_informative, loss

FEW = 10
"""With fewer groups than this, nothing is said about other ones."""
_LEVEL = 0.95
_SENSES = {"audio": ("recording", "heard"), "image": ("image", "saw"), "tokens": ("text", "read"),
           "text": ("text", "read"), "features": ("row", "saw")}


def summary(contents: Contents) -> str:
    """The headline; claims that fail or are undecided follow in sentences of their own."""
    return f"{headline(contents)} {not_shown(contents.claims)}".rstrip()


def headline(contents: Contents) -> str:
    """The sentence that says how good the shipped file is, how sure that is, and what making it smaller cost."""
    if contents.after is None:
        return f"{contents.name}: nothing was measured on the test part yet."
    good = f"{_where(contents, contents.after)} {_how_good(contents, contents.after)}"
    cost = _cost(contents, contents.after)
    return good + (f"; {cost}." if cost else ".")


def not_shown(claims: Sequence[Claim]) -> str:
    """How the claims came out, and which fail or are undecided; "" where all hold."""
    open_ = [claim for claim in claims if claim.verdict != "holds"]
    if not open_:
        return ""
    details = " ".join(f"{SAID[claim.verdict]}: {asked(claim)[:1].lower()}{asked(claim)[1:]}." for claim in open_)
    return f"Of {counted(len(claims), 'claim')}, {counts(claims)}. {details}"


def noun(contents: Contents) -> str:
    """What one sample is called."""
    return _sense(contents)[0]


def held_out(data: DataRef) -> str | None:
    """The group by which the test part was split off, None where it was split by rows or not at all."""
    for step in reversed(data.origin.get("steps", [])):
        if "split" in step:
            by = step["split"].get("by")
            return None if by is None else str(by)
    return None


def shipped_size(contents: Contents) -> int | None:
    """Bytes of the shipped file without the claims it carries, from the file itself or else from its bench."""
    if contents.file is not None and contents.file.exists():
        return runtime.read(contents.file).size_without_claims_bytes
    bench = shipped_bench(contents)
    return bench.size_without_claims_bytes if bench else None


def shipped_bench(contents: Contents) -> runtime.Bench | None:
    """What was measured of the shipped file, on the first engine that ran it; None where only others were measured."""
    subject = contents.after.subject if contents.after else None
    found = [bench for bench in contents.benches if subject in (None, bench.subject)]
    return next((bench for bench in reversed(found) if bench.engine == found[0].engine), None)


def bench_before(contents: Contents) -> runtime.Bench | None:
    """What was measured of the file that the shipped one was compared with; without a comparison, of the first one."""
    compared = {claim.than.subject for claim in contents.claims if claim.than}
    shipped = shipped_bench(contents)
    others = [bench for bench in contents.benches
              if bench is not shipped and (shipped is None or bench.engine == shipped.engine)]
    return next(iter([*(bench for bench in others if bench.subject in compared), *others]), None)


def bench_names(benches: Sequence[runtime.Bench]) -> list[str]:
    """What each is called: by its file, and by the engine too where there are several."""
    several = len({bench.engine for bench in benches}) > 1
    return [f"{bench.name} ({bench.engine})" if several else bench.name for bench in benches]


def times_smaller(contents: Contents) -> float | None:
    """How many times smaller the shipped file is than what it was made from, None where that is not known."""
    shipped = shipped_size(contents)
    known = [claim.than.size_bytes for claim in contents.claims if claim.than and claim.than.size_bytes]
    bench = bench_before(contents)
    before = bench.size_without_claims_bytes if bench else next(iter(known), None)
    return before / shipped if before and shipped else None


def groups_tested(contents: Contents) -> tuple[str, list[str]] | None:
    """The column that was held out and its values in the test part, None where no group was held out."""
    scores = contents.after
    by = held_out(scores.data) if scores else None
    if scores is None or by is None:
        return None
    part = next((part for part in contents.data if part.get("part") == scores.data.part), {})
    described = part.get("columns", {}).get(by, {}).get("counts", {})
    names = sorted(set(scores.groups.get(by, ()))) or sorted(described)
    return (by, names) if names else None


def _where(contents: Contents, scores: Scores) -> str:
    name, verb = _sense(contents)
    tested = f"On {counted(len(scores), name)}"
    if scores.data.part == "train":
        return f"{tested} that it was trained on,"
    if scores.data.part == "validation":
        return f"{tested} that served to choose it,"
    groups = groups_tested(contents)
    if groups:
        tested += f" of {counted(len(groups[1]), groups[0])}"
    return f"{tested} it never {verb}," if scores.data.part == "test" else f"{tested},"


def _how_good(contents: Contents, scores: Scores) -> str:
    shipped = shipped_size(contents)
    model = f"the {size(shipped)} model" if shipped else "the model"
    if scores.metric != "accuracy":
        return f"{model} reaches a mean {scores.metric} of {scores.mean:.3g}"
    of = scale(scores.mean)
    is_all = scores.mean == 1.0 and not _is_partly(contents)
    many = f"all {len(scores):,}" if is_all else in_hundred(scores.mean, of=of, rounding="down")
    return f"{model} {_right(contents, many)} ({_sure(contents, scores, of)})"


def _is_partly(contents: Contents) -> bool:
    """Whether an answer may be right in part."""
    task = contents.task
    return task is not None and (task.kind in ("detect", "verify") or getattr(task, "partly", False))


def _right(contents: Contents, many: str) -> str:
    """What a right answer is, in the task's own words."""
    task, samples = contents.task, plural(noun(contents))
    target = task.target.replace("_", " ") if task else noun(contents)
    if task is not None and task.kind == "transcribe" and _is_partly(contents):
        return f"writes {many} {target} down correctly"
    if task is not None and task.loss == "binary_cross_entropy":
        return f"names every {target} of {many} {samples}, and no other"
    said = {"tag": f"marks all {plural(target)} in {many} {samples} correctly, and no other",
            "understand": f"finds the {target} and every slot of {many} {samples}, and no other",
            "transcribe": f"writes {many} {samples} down without a mistake",
            "recognize": f"answers {many} {samples} with what was said in them, or with nothing where it must",
            "detect": f"agrees with the labels on {many} parts of the {target} that either of them marks",
            "verify": f"puts the same {target} above another one in {many} comparisons",
            "assess": f"judges {many} {samples} as the experts do, within a tenth of the best mark",
            "regress": f"comes within {getattr(task, 'tolerance', 0):g} of the {target} for {many} {samples}"}
    return said.get(task.kind if task else "", f"names {many} {plural(target)} correctly")


def _sure(contents: Contents, scores: Scores, of: int) -> str:
    samples, groups = plural(noun(contents)), groups_tested(contents)
    wide = [claim for claim in _accuracy_claims(contents.claims) if claim.clusters and is_informative(claim)]
    if wide and wide[0].clusters:
        return f"{_at_least(wide[0].interval[0], wide[0].level, of)} for {plural(wide[0].clusters.by)} like these"
    narrow = [claim for claim in _accuracy_claims(contents.claims) if not claim.clusters]
    lower, level = (narrow[0].interval[0], narrow[0].level) if narrow else (_lower(scores), _LEVEL)
    said = f"{_at_least(lower, level, of)} such {samples}"
    if groups is None:
        return said + _not_held_out(scores)
    by, names = groups
    if len(names) == 1:
        return f"{said} of this one; one {by} says little about others"
    if len(names) < FEW:
        return f"{said} of these {in_words(len(names))}; {counted(len(names), by)} say little about others"
    return f"{said} of these {in_words(len(names))}; what other {plural(by)} get was not asked"


def _not_held_out(scores: Scores) -> str:
    if scores.data.part != "test" or not scores.groups:
        return ""
    by = next(iter(scores.groups))
    return f"; its {plural(by)} may have been in the training too, so new ones may fare worse"


def _at_least(lower: float, level: float, of: int) -> str:
    return f"{percent(level)} sure of at least {in_hundred(lower, of=of, rounding='down')}"


def _lower(scores: Scores) -> float:
    return binomial_lower(int(scores.score.sum()), len(scores), _LEVEL)


def _accuracy_claims(claims: Sequence[Claim]) -> list[Claim]:
    return [claim for claim in claims if claim.kind == "accuracy_at_least"]


def _cost(contents: Contents, scores: Scores) -> str:
    claims = sorted((claim for claim in contents.claims if claim.kind == "no_worse"),
                    key=lambda claim: claim.clusters is not None)
    ratio = times_smaller(contents)
    change = f"making it {times(ratio)} times smaller" if ratio and ratio >= 1.1 else "the change from the model before"
    if not claims:
        return _seen_cost(contents, scores)
    claim = claims[0]
    lost, _, most = loss(claim)
    if not is_informative(claim):
        return f"what {change} cost cannot be said yet"
    of = scale(scores.mean)
    said = f"cost at most {in_hundred(most, of=of, rounding='up')}" if most > 0 else "cost no accuracy"
    allowed = bound_in_hundred(-claim.bound)
    if claim.verdict == "fails":
        return f"{change} cost {in_hundred(lost, of=of, rounding='up')}, more than the {allowed} that were allowed"
    if claim.verdict == "undecided":
        return f"{change} {said}, {percent(claim.level)} sure, which does not show that it stays within {allowed}"
    return f"{change} {said}, {percent(claim.level)} sure"


def _seen_cost(contents: Contents, scores: Scores) -> str:
    before = contents.before
    if before is None or before.metric != "accuracy" or set(before.ids) != set(scores.ids):
        return ""
    of = scale(scores.mean, before.mean)
    return f"the model it was made from names {in_hundred(before.mean, of=of, rounding='down')}"


def _sense(contents: Contents) -> tuple[str, str]:
    arrays = contents.task.arrays if contents.task else {}
    return next((said for name, said in _SENSES.items() if name in arrays), ("sample", "met"))
