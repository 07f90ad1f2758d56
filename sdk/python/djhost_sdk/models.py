"""Models that the recipe lends: a parameter says its kind by its type, `model: KenLM`, and is the model when the function is called.

A model stays in the host, once for all instances; its methods take one text, or a list (or a column) of texts, which is much faster. What fails for
one text of several is a `Reject` in its place, which a function with `columns=True` may return as it is; for a text alone it is raised.
"""

from dataclasses import dataclass

from .columns import Texts
from .errors import Failed, InvalidParams, Reject

#: The host's interface, once a component is built (`component.py`).
service = None
#: What a build in the world without this interface ends with, if an operator asks for a model.
NOT_IN_WORLD = "an operator asks for a model, and this world has none"
#: Doubles by parameter, for tests (`testing.py`).
doubles = {}

# What one call passes to the host at most; more bytes only for a single text.
MOST_TEXTS, MOST_BYTES = 4096, 1 << 20


class Model:
    """A model of any kind."""

    kind = ""

    def __init__(self, handle=None):
        self._handle = handle

    def _asked(self, method, *arguments):
        self._check()
        try:
            return getattr(self._handle, method)(*arguments)
        except Exception as error:
            raise Failed(_said(error)) from error

    def _check(self):
        if self._handle is None:
            raise NotImplementedError(f"this double of a {self.kind} model lacks the method that was called")

    def _of_texts(self, texts, ask):
        """The answers for all texts. `ask` gets some of them, and returns their answers and what failed."""
        self._check()
        if isinstance(texts, (str, bytes)):
            answer = self._of_texts([texts], ask)[0]
            if isinstance(answer, Reject):
                raise answer
            return answer
        answers = []
        for some in _batches(texts):
            column = Texts.of(some)
            found, failed = ask(service.Texts(column.offsets, column.data))
            found = list(found)
            for failure in failed:
                found[failure.row] = Reject(failure.reason)
            answers += found
        return answers


class KenLM(Model):
    """A language model of KenLM."""

    kind = "kenlm"

    def score(self, texts, *, begin=True, end=True):
        """The logarithm to base 10 of the probability of each text, whose words are separated by white space. `begin` and `end`: whether it
        is a whole sentence there."""
        return self._of_texts(texts, lambda some: (self._asked("score", some, begin, end), ()))


class FastText(Model):
    """A classifier of fastText."""

    kind = "fasttext"

    def labels(self):
        """All labels, without their prefix: `en` for `__label__en`."""
        texts = self._asked("labels")
        return list(Texts(texts.offsets, texts.data))

    def classify(self, texts, *, k=1):
        """Up to `k` pairs of label and probability for each text, best first."""
        names = self.labels()

        def ask(some):
            found = self._asked("classify", some, k)
            pairs = [(names[label], score) for label, score in zip(found.ids, found.scores, strict=True)]
            return _cut(found.offsets, pairs), ()

        return self._of_texts(texts, ask)


class Tokenizer(Model):
    """A tokenizer of Hugging Face or sentencepiece. `special` adds the tokens that it puts around a text."""

    kind = "tokenizer"

    def count(self, texts, *, special=False):
        """The number of tokens of each text."""

        def ask(some):
            found = self._asked("count", some, special)
            return found.values, found.failed

        return self._of_texts(texts, ask)

    def encode(self, texts, *, special=False):
        """The ids of the tokens of each text."""

        def ask(some):
            found = self._asked("encode", some, special)
            return _cut(found.offsets, found.ids), found.failed

        return self._of_texts(texts, ask)

    def pieces(self, texts):
        """The tokens of each text as the model writes them."""

        def ask(some):
            found = self._asked("pieces", some)
            return _cut(found.offsets, list(Texts(found.values.offsets, found.values.data))), found.failed

        return self._of_texts(texts, ask)

    def decode(self, ids):
        """The text that these tokens make."""
        found = self._asked("decode", [0, len(ids)], ids)
        if found.failed:
            raise Reject(found.failed[0].reason)
        return next(iter(Texts(found.values.offsets, found.values.data)))


@dataclass
class Tensor:
    """Numbers in row-major order, as many as the product of `shape`. `element` is "f32", "int64" or "uint8"."""

    shape: list
    data: list
    element: str = "f32"


class Onnx(Model):
    """A network in ONNX."""

    kind = "onnx"

    def run(self, inputs):
        """The outputs by name, each a `Tensor`, for the inputs by name."""
        self._check()
        case = {"f32": service.TensorData_F32, "int64": service.TensorData_Int64, "uint8": service.TensorData_Uint8}
        sent = [service.Tensor(name, tensor.shape, case[tensor.element](tensor.data)) for name, tensor in inputs.items()]
        names = {kind: name for name, kind in case.items()}
        return {found.name: Tensor(found.shape, found.data.value, names[type(found.data)]) for found in self._asked("run", sent)}


class Lines(Model):
    """A list whose lines are looked up as they are. Empty ones and those that begin with `#` are no entries."""

    kind = "lines"

    def contains(self, texts):
        """Whether each text is an entry."""
        return self._of_texts(texts, lambda some: (self._asked("contains", some), ()))


class Words(Lines):
    """A list whose lines are looked up in lower case, without all but letters and digits of ASCII."""

    kind = "words"


class Substrings(Words):
    """A list like that of `Words`, whose entries are searched for within texts."""

    kind = "substrings"

    def occurrences(self, texts, *, most):
        """How often entries stand in each text, also where they overlap; no further than `most`."""
        return self._of_texts(texts, lambda some: (self._asked("occurrences", some, most), ()))


def is_model(kind):
    """Whether a parameter of this type is a model."""
    return isinstance(kind, type) and issubclass(kind, Model) and kind.kind != ""


def opened(kind, parameter, optional):
    """The model of a parameter; None if there is none and there need not be one."""
    if parameter in doubles:
        return doubles[parameter]
    if service is None:
        if optional:
            return None
        raise InvalidParams(f"`{parameter}`: give a double, a `{kind.__name__}` of your own, to `run`")
    if optional and parameter not in service.lent():
        return None
    try:
        return kind(service.Model.open(parameter))
    except Exception as error:
        raise InvalidParams(f"`{parameter}`: {_said(error)}") from error


def _said(error):
    """What the host says: the bindings raise an object that has it as `value`."""
    return str(getattr(error, "value", error))


def _cut(offsets, values):
    return [values[start:end] for start, end in zip(offsets, offsets[1:], strict=False)]


def _batches(texts):
    """Lists of texts that the host takes in one call; a null is an empty text."""
    batch, size = [], 0
    for text in texts.raw() if isinstance(texts, Texts) else texts:
        text = b"" if text is None else text.encode() if isinstance(text, str) else text
        if batch and (len(batch) == MOST_TEXTS or size + len(text) > MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += len(text)
    if batch:
        yield batch
