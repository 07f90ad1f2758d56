"""Exports a CLIP or BLIP model of transformers to ONNX, with the files that djhost reads beside it.

    pip install torch==2.6.0 transformers==4.54.1 pillow
    python plugins/media/export_pairs.py NAME MODEL_DIR

NAME is a name on the hub, such as `openai/clip-vit-base-patch32` or `Salesforce/blip-itm-base-coco`, or a directory; the export is
written to MODEL_DIR/NAME, where `image_text_similarity_filter` and `image_text_matching_filter` look for it with `--model-dir MODEL_DIR`.
"""

import pathlib
import sys

import torch
import transformers

OUTPUTS = {"clip": "logits_per_text", "blip": "itm_score"}
"""What each kind of model scores an image and a text with."""


class Scores(torch.nn.Module):
    """The model, with its score as the only result."""

    def __init__(self, model: transformers.PreTrainedModel) -> None:
        super().__init__()
        self.model = model
        self.output = OUTPUTS[model.config.model_type]

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, pixel_values: torch.Tensor) -> torch.Tensor:
        """One score per pair (CLIP: of all texts with all images)."""
        return self.model(input_ids=input_ids, attention_mask=attention_mask, pixel_values=pixel_values)[self.output]


def export(model: transformers.PreTrainedModel, processor: transformers.ProcessorMixin, directory: pathlib.Path) -> None:
    """Writes `model.onnx`, `tokenizer.json`, `preprocessor_config.json` and `config.json`."""
    directory.mkdir(parents=True, exist_ok=True)
    side = model.config.vision_config.image_size
    ids = torch.tensor([[processor.tokenizer.cls_token_id or processor.tokenizer.bos_token_id, 5, 6, processor.tokenizer.sep_token_id or processor.tokenizer.eos_token_id]])
    torch.onnx.export(
        Scores(model.eval()),
        (ids, torch.ones_like(ids), torch.zeros(1, 3, side, side)),
        str(directory / "model.onnx"),
        input_names=["input_ids", "attention_mask", "pixel_values"],
        output_names=[OUTPUTS[model.config.model_type]],
        dynamic_axes={"input_ids": {0: "texts", 1: "tokens"}, "attention_mask": {0: "texts", 1: "tokens"}, "pixel_values": {0: "images"}},
        opset_version=17,
        dynamo=False,
    )
    processor.save_pretrained(directory)
    model.config.save_pretrained(directory)


def main() -> None:
    """Exports what the arguments name."""
    name, models = sys.argv[1:]
    config = transformers.AutoConfig.from_pretrained(name)
    if config.model_type not in OUTPUTS:
        sys.exit(f"{name} is a model of the kind {config.model_type}: {' and '.join(OUTPUTS)} can be exported")
    kind = {"clip": transformers.CLIPModel, "blip": transformers.BlipForImageTextRetrieval}[config.model_type]
    model = kind.from_pretrained(name, attn_implementation="eager")
    export(model, transformers.AutoProcessor.from_pretrained(name), pathlib.Path(models) / name)


if __name__ == "__main__":
    main()
