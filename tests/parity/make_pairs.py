"""Writes models/clip and models/blip, small networks with random weights, and pairs.jsonl, rows of images with texts for them.

    pip install torch==2.6.0 transformers==4.54.1 tokenizers pillow
    python tests/parity/make_pairs.py [DIRECTORY [WIDTH]]

The weights of transformers' own format, for `make_goldens.py`, are written to DIRECTORY (default /tmp/pairs) and not committed; what djhost
is given of them is. With a WIDTH the networks are wider, and nothing is written to models/.
"""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "plugins" / "media"))

import torch
import transformers
from export_pairs import export
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

OUT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "/tmp/pairs")
WIDTH = int(sys.argv[2]) if len(sys.argv) > 2 else 16
TEXTS = [json.loads(line)["text"] for line in (HERE / "fixture.jsonl").read_text("utf-8").split("\n") if line]
LONGEST = 24


def clip_tokenizer(directory):
    """As CLIP's: lower case, byte-level pairs, with the ends of words marked."""
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>", unk_token="<|endoftext|>", continuing_subword_prefix=""))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    words = Regex(r"""'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+""")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(words, "removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=520, initial_alphabet=alphabet, end_of_word_suffix="</w>", show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    directory.mkdir(parents=True, exist_ok=True)
    vocabulary = tokenizer.get_vocab()
    for special in ("<|startoftext|>", "<|endoftext|>"):
        vocabulary[special] = len(vocabulary)
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    (directory / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), "utf-8")
    (directory / "merges.txt").write_text("#version: 0.2\n" + "".join(" ".join(pair) + "\n" for pair in merges), "utf-8")
    return transformers.CLIPTokenizerFast(str(directory / "vocab.json"), str(directory / "merges.txt"), model_max_length=LONGEST)


def blip_tokenizer(directory):
    """As BERT's: word pieces in lower case."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(TEXTS, trainers.WordPieceTrainer(vocab_size=400, limit_alphabet=150, special_tokens=special, show_progress=False))
    directory.mkdir(parents=True, exist_ok=True)
    words = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    (directory / "vocab.txt").write_text("".join(word + "\n" for word, _ in words), "utf-8")
    return transformers.BertTokenizerFast(str(directory / "vocab.txt"))


def random_weights(model):
    """Weights far from 0, so that scores differ."""
    generator = torch.Generator().manual_seed(17)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() > 1:
                weight.normal_(0, 1.2 / WIDTH**0.5, generator=generator)
            elif "norm" not in name.lower() and weight.dim() == 1:
                weight.normal_(0, 0.1, generator=generator)
        if hasattr(model, "logit_scale"):
            model.logit_scale.fill_(4.6052)
    return model.eval()


def clip(directory):
    tokenizer = clip_tokenizer(directory)
    sizes = {"hidden_size": WIDTH, "intermediate_size": 2 * WIDTH, "num_hidden_layers": 2, "num_attention_heads": 2}
    ids = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    config = transformers.CLIPConfig(
        text_config={**sizes, **ids, "vocab_size": len(tokenizer), "max_position_embeddings": LONGEST},
        vision_config={**sizes, "image_size": 32, "patch_size": 8},
        projection_dim=WIDTH, attn_implementation="eager",
    )
    images = transformers.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    return random_weights(transformers.CLIPModel(config)), transformers.CLIPProcessor(images, tokenizer)


def blip(directory):
    tokenizer = blip_tokenizer(directory)
    sizes = {"hidden_size": WIDTH, "intermediate_size": 2 * WIDTH, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = transformers.BlipConfig(
        text_config={**sizes, "vocab_size": len(tokenizer), "max_position_embeddings": LONGEST, "encoder_hidden_size": WIDTH, "bos_token_id": 2, "sep_token_id": 3, "eos_token_id": 3, "pad_token_id": 0},
        vision_config={**sizes, "image_size": 32, "patch_size": 8},
        image_text_hidden_size=WIDTH, projection_dim=WIDTH, attn_implementation="eager",
    )
    images = transformers.BlipImageProcessor(size={"height": 32, "width": 32})
    return random_weights(transformers.BlipForImageTextRetrieval(config)), transformers.BlipProcessor(images, tokenizer)


def rows():
    image, end = "<__dj__image>", "<|__dj__eoc|>"
    names = ["a.png", "a.jpg", "a.webp", "a.gif", "a.bmp", "b.png", "b.jpg", "c.png", "clear.png", "palette.png", "grey.jpg", "tall.png", "one.png", "plain.png", "turned-5.jpg", "turned-6.jpg", "cmyk.jpg", "deep.png"]
    texts = ["a photo of a cat on a mat", "Two dogs run over the field.", "", "An old MAP of the town, 1887", "图片里有一只猫", "the  house\n\tat the lake", "🙂 it's fine & we're <happy>", "Ein Bild von Straßen, Bäumen und Häusern"]
    have = [name for name in names if (HERE / "media" / name).exists()]
    for i, name in enumerate(have):
        yield {"text": f"{image} {texts[i % len(texts)]}", "images": [f"media/{name}"]}
    for i, text in enumerate(texts):
        yield {"text": f"{text}{image}{end}", "images": [f"media/{have[3 * i % len(have)]}"]}
    yield {"text": f"{image} {texts[0]} {image}{end}{image}{texts[1]}{end}", "images": ["media/a.png", "media/b.png", "media/c.png"]}
    yield {"text": f"{texts[0]} {end} {texts[1]} {image}{end}{end} {image} {texts[3]}", "images": ["media/b.png", "media/c.png"]}
    yield {"text": f"{image} {'a very long text about a cat and a dog ' * 9}", "images": ["media/a.png"]}
    yield {"text": f"{image}<__dj__video><__dj__audio> {texts[0]}", "images": ["media/b.png"]}
    yield {"text": f"{image}{image} {texts[0]}", "images": ["media/b.png"]}
    yield {"text": f"{image} {texts[0]}", "images": ["media/b.png", "media/c.png"]}
    yield {"text": f"{image} {texts[0]}{end}{image}{texts[1]}", "images": ["media/b.png"]}
    yield {"text": f"<image>\n{texts[0]}", "images": ["media/b.png"]}
    yield {"text": f"<image> {texts[1]}{end}{image} {texts[0]} <image>", "images": ["media/b.png", "media/c.png"]}
    yield {"text": texts[0], "images": ["media/b.png"]}
    yield {"text": f"{image} {texts[0]}", "images": []}
    yield {"text": texts[0]}
    yield {"text": f"{image} {texts[0]}", "images": ["media/missing.png"]}
    yield {"text": f"{image} {texts[0]}", "images": ["media/text.png"]}


for name, make in [("clip", clip), ("blip", blip)]:
    model, processor = make(OUT / name)
    model.save_pretrained(OUT / name)
    processor.save_pretrained(OUT / name)
    exported = OUT / "onnx" / name if len(sys.argv) > 2 else HERE / "models" / name
    export(model, processor, exported)
    for file in exported.iterdir():
        # Only what djhost reads.
        if file.name not in {"model.onnx", "tokenizer.json", "preprocessor_config.json", "config.json"}:
            file.unlink()
    print(name, sum(weight.numel() for weight in model.parameters()), "weights", (exported / "model.onnx").stat().st_size, "bytes")
with open(HERE / "pairs.jsonl", "w", encoding="utf-8") as file:
    for row in rows():
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
