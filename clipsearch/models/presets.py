"""The models clipsearch recommends, as data.

Only weights under a permissive licence are listed; every other model open_clip knows can be named by its tag.

Sources of the figures
    coco_recall   text-to-image recall@1 on MS-COCO, percent. SigLIP 2: table of checkpoints in the authors' big_vision
                  repository (README_siglip2.md); Perception Encoder: that of its authors' repository perception_models
                  (apps/pe/README.md); all others: open_clip, docs/openclip_retrieval_results.csv.
    xm_recall     mean of recall@1, @5 and @10 of text-to-image retrieval on Crossmodal-3600 in English, percent:
                  Immich documentation, "Searching", table of CLIP models.
    languages     SigLIP 2: those of its training data, WebLI, as its paper (arXiv 2502.14786) counts them; XLM-RoBERTa:
                  those of its pre-training (arXiv 1911.02116).
    licence       the model's card on the Hugging Face Hub.
    download_mb   size of the file of weights there, plus the tokenizer where it is fetched too; of `pe`, `pe-large` and
                  `multilingual` four bytes a parameter, as the files of the same authors have.
    speed         pictures per second through the vision tower on two CPU cores with AVX2, float32, batches of 16, as
                  printed by `python tests/benchmarks/encoders.py`
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Preset:
    """A recommended model under a short name.

    `model` is the name it stands for. `dim` is the length of a vector, `image_size` the side of the square the model
    sees, in pixels. A figure that nobody published, or that was not measured, is None.
    """

    name: str
    model: str
    summary: str
    licence: str
    languages: str
    dim: int
    image_size: int
    download_mb: int
    coco_recall: float | None = None
    xm_recall: float | None = None
    speed: float | None = None


DEFAULT = "default"

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            name="mini",
            model="mini",
            summary="Ships with clipsearch: works at once and offline, small and far from the best (see its README).",
            licence="Apache-2.0",
            languages="English",
            dim=256,
            image_size=192,
            download_mb=0,
            speed=312,
        ),
        Preset(
            name=DEFAULT,
            model="ViT-B-32-SigLIP2-256/webli",
            summary="The one to use: finds what you describe, in many languages, quick even without a GPU.",
            licence="Apache-2.0",
            languages="109 languages",
            dim=768,
            image_size=256,
            download_mb=1542,
            coco_recall=47.2,
            xm_recall=73.15,
            speed=12,
        ),
        Preset(
            name="fast",
            model="ViT-B-32/laion2b_s34b_b79k",
            summary="The quickest and lightest: for old laptops and very large collections in English.",
            licence="MIT",
            languages="English",
            dim=512,
            image_size=224,
            download_mb=605,
            coco_recall=39.3,
            xm_recall=68.78,
            speed=18,
        ),
        Preset(
            name="best",
            model="ViT-SO400M-16-SigLIP2-384/webli",
            summary="The most accurate: sees small details, in many languages; wants a GPU.",
            licence="Apache-2.0",
            languages="109 languages",
            dim=1152,
            image_size=384,
            download_mb=4580,
            coco_recall=56.0,
            xm_recall=75.09,
        ),
        Preset(
            name="english",
            model="ViT-B-16-SigLIP/webli",
            summary="English only, as accurate as the default in half the download and a third of the memory.",
            licence="Apache-2.0",
            languages="English",
            dim=768,
            image_size=224,
            download_mb=816,
            coco_recall=47.8,
            xm_recall=71.64,
            speed=4,
        ),
        Preset(
            name="pe",
            model="PE-Core-B-16/meta",
            summary="Perception Encoder: the best of its size for English, with a large text tower.",
            licence="Apache-2.0",
            languages="English",
            dim=1024,
            image_size=224,
            download_mb=1791,
            coco_recall=50.9,
        ),
        Preset(
            name="pe-large",
            model="PE-Core-L-14-336/meta",
            summary="Perception Encoder, large: as accurate as best, for English; wants a GPU.",
            licence="Apache-2.0",
            languages="English",
            dim=1024,
            image_size=336,
            download_mb=2685,
            coco_recall=57.1,
        ),
        Preset(
            name="eva",
            model="EVA02-B-16/merged2b_s8b_b131k",
            summary="EVA-02-CLIP: more accurate than fast in half the download, but slower.",
            licence="MIT",
            languages="English",
            dim=512,
            image_size=224,
            download_mb=299,
            coco_recall=42.2,
        ),
        Preset(
            name="convnext",
            model="convnext_base_w/laion2b_s13b_b82k_augreg",
            summary="A convolutional tower (ConvNeXt) instead of a transformer.",
            licence="MIT",
            languages="English",
            dim=640,
            image_size=256,
            download_mb=718,
            coco_recall=43.0,
        ),
        Preset(
            name="coca",
            model="coca_ViT-B-32/laion2b_s13b_b90k",
            summary="CoCa, trained to write captions as well; searching uses its two towers.",
            licence="MIT",
            languages="English",
            dim=512,
            image_size=224,
            download_mb=1014,
            coco_recall=36.2,
        ),
        Preset(
            name="resnet",
            model="RN50/openai",
            summary="The ResNet of the first CLIP paper: to compare with, no longer to choose.",
            licence="MIT",
            languages="English",
            dim=1024,
            image_size=224,
            download_mb=408,
            coco_recall=28.5,
        ),
        Preset(
            name="multilingual",
            model="xlm-roberta-base-ViT-B-32/laion5b_s13b_b90k",
            summary="XLM-RoBERTa reads the texts, in 100 languages; needs `pip install 'clipsearch[hf]'`.",
            licence="MIT",
            languages="100 languages",
            dim=512,
            image_size=224,
            download_mb=1474,
            coco_recall=37.8,
        ),
    )
}


def preset_table() -> list[dict[str, str]]:
    """Return one row a preset for people to read: column title -> text, all rows with the same titles in order."""
    return [_row(preset) for preset in PRESETS.values()]


def _row(preset: Preset) -> dict[str, str]:
    return {
        "Preset": preset.name,
        "Model": preset.model,
        "Licence": preset.licence,
        "Languages": preset.languages,
        "Dimensions": str(preset.dim),
        "Image side": f"{preset.image_size} px",
        "Download": f"{preset.download_mb} MB" if preset.download_mb else "none",
        "COCO R@1": _cell(preset.coco_recall, " %"),
        "Crossmodal-3600": _cell(preset.xm_recall, " %"),
        "Pictures/s, 2 cores": _cell(preset.speed),
        "In short": preset.summary,
    }


def _cell(figure: float | None, unit: str = "") -> str:
    return "-" if figure is None else f"{figure:g}{unit}"
