"""A process in which one contender learns from one corpus, from look to look whenever it is asked.

Called with the contender's name and with a `Job` as JSON. It reads a line for each turn and answers
with one of JSON: a `Look` or, when it has ended, `ended` with the reason if it diverged.
"""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from corpora import READERS
from learners import Look, learn, read_recipes, recipe_of


@dataclass(frozen=True)
class Job:
    """What is learned from, and how.

    Attributes:
        corpus: a key of `READERS` and of the recipes.
        path: where the corpus is.
        recipes: the file of recipes.
        seed: of initialisation and order.
    """

    corpus: str
    path: str
    recipes: str
    seed: int


def wait() -> None:
    """Wait for the next turn; end if nobody is there any more to give it."""
    if not sys.stdin.readline():
        sys.exit()


def main() -> None:
    contender, job = sys.argv[1], Job(**json.loads(sys.argv[2]))
    recipe = recipe_of(read_recipes(Path(job.recipes))[job.corpus][contender], job.seed)

    def report(look: Look) -> None:
        print(json.dumps(asdict(look)), flush=True)
        wait()

    wait()
    reason = learn(contender, recipe, READERS[job.corpus](Path(job.path)), report)
    print(json.dumps({"ended": reason}), flush=True)


if __name__ == "__main__":
    main()
