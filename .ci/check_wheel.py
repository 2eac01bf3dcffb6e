"""Check what a built wheel carries: `python check_wheel.py FILE.whl`."""

import sys
import zipfile

TOP = {"clipsearch", "clipsearch_indexer", "clipsearch_ui"}
WANTED = (
    "clipsearch/models/mini/open_clip_model.safetensors",
    "clipsearch/models/mini/open_clip_config.json",
    "clipsearch/models/mini/LICENSE",
    "clipsearch/gallery/README.md",
    "clipsearch/py.typed",
    "clipsearch/evaluation/report/style.css",
    "clipsearch_ui/app.py",
    "clipsearch_ui/components/grid.js",
    "clipsearch_ui/detail/land.json",
)


def main(path: str) -> None:
    """Exit with a sentence where the wheel lacks something or holds a top-level name it should not."""
    names = zipfile.ZipFile(path).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    missing = [name for name in WANTED if name not in names]
    if tops != TOP:
        sys.exit(f"{path} has top-level names {sorted(tops)}, expected {sorted(TOP)}.")
    if missing:
        sys.exit(f"{path} lacks {', '.join(missing)}.")
    if not any(".dist-info/licenses/LICENSE" in name for name in names):
        sys.exit(f"{path} lacks its licence.")
    print(f"{path}: {len(names)} files, all there.")


main(sys.argv[1])
