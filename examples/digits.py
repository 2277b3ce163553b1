"""From recordings to a file that carries its proof, as a script: python examples/digits.py

The recipe recipes/digits.yaml says the same in YAML, and redoes only what changed.
"""

from pathlib import Path

from linnet import data, evidence, export, introspect, nn, runtime, shrink, tasks, train


def main(folder: Path = Path("runs/example"), epochs: int = 30) -> None:
    """Train, look, shrink, export, prove; print every claim."""
    folder.mkdir(parents=True, exist_ok=True)
    digits = data.load("fsdd").split(by="speaker", seed=0, validation=1, test=2)
    task = tasks.Classify(digits, input="audio", target="digit", groups=["speaker"])
    big = train.fit(nn.zoo.dscnn(task, width=64), task, digits, epochs=epochs, augment="speech", seed=0)

    found = introspect.redundancy(big.responses(task, digits.validation, layers=big.removable))
    plan = shrink.plan(found, keep=0.5).quantize(bits=8)
    small = shrink.apply(plan, big, task, digits, teacher=big, epochs=max(1, epochs // 2), augment="speech")
    file = export.write(small, task, folder / "digits.onnx", samples=digits.validation)

    after = tasks.evaluate(runtime.load(file), task, digits.test)
    before = tasks.evaluate(big, task, digits.test)
    claims = [evidence.accuracy_at_least(after, bound=0.8), evidence.no_worse(after, before, margin=0.03, level=0.95)]
    export.prove(file, claims)
    for claim in runtime.load(file).claims:
        print(f"{claim.verdict}: {claim.statement}")


if __name__ == "__main__":
    main()
