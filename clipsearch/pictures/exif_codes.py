"""What the numbers of EXIF's enumerated tags stand for (CIPA DC-008, Exif 3.0)."""

from __future__ import annotations

from collections.abc import Mapping

_RESOLUTION = {1: "none", 2: "per inch", 3: "per cm"}
_LEVEL = {0: "normal", 1: "low", 2: "high"}

CODES: Mapping[str, Mapping[int, str]] = {
    "ColorSpace": {1: "sRGB", 2: "Adobe RGB", 0xFFFF: "uncalibrated"},
    "CompositeImage": {1: "no", 2: "yes", 3: "yes, while shooting"},
    "Compression": {1: "none", 5: "LZW", 6: "JPEG", 7: "JPEG", 8: "Deflate", 32773: "PackBits"},
    "Contrast": {0: "normal", 1: "soft", 2: "hard"},
    "CustomRendered": {0: "no", 1: "yes"},
    "ExposureMode": {0: "automatic", 1: "manual", 2: "bracketing"},
    "ExposureProgram": {
        0: "unknown",
        1: "manual",
        2: "automatic",
        3: "aperture priority",
        4: "shutter priority",
        5: "for depth of field",
        6: "for movement",
        7: "portrait",
        8: "landscape",
    },
    "FileSource": {1: "film scanner", 2: "print scanner", 3: "digital camera"},
    "FocalPlaneResolutionUnit": _RESOLUTION,
    "GainControl": {0: "none", 1: "a little up", 2: "far up", 3: "a little down", 4: "far down"},
    "LightSource": {
        0: "unknown",
        1: "daylight",
        2: "fluorescent",
        3: "tungsten",
        4: "flash",
        9: "fine weather",
        10: "cloudy",
        11: "shade",
        12: "daylight fluorescent",
        13: "day white fluorescent",
        14: "cool white fluorescent",
        15: "white fluorescent",
        17: "standard light A",
        18: "standard light B",
        19: "standard light C",
        20: "D55",
        21: "D65",
        22: "D75",
        23: "D50",
        24: "ISO studio tungsten",
        255: "other",
    },
    "MeteringMode": {
        0: "unknown",
        1: "average",
        2: "centre-weighted",
        3: "spot",
        4: "several spots",
        5: "pattern",
        6: "partial",
        255: "other",
    },
    "Orientation": {
        1: "upright",
        2: "mirrored",
        3: "upside down",
        4: "upside down, mirrored",
        5: "turned left, mirrored",
        6: "turned left",
        7: "turned right, mirrored",
        8: "turned right",
    },
    "PhotometricInterpretation": {
        0: "white is zero",
        1: "black is zero",
        2: "RGB",
        3: "palette",
        5: "CMYK",
        6: "YCbCr",
        8: "CIELab",
    },
    "PlanarConfiguration": {1: "pixel by pixel", 2: "plane by plane"},
    "ResolutionUnit": _RESOLUTION,
    "Saturation": _LEVEL,
    "SceneCaptureType": {0: "standard", 1: "landscape", 2: "portrait", 3: "night"},
    "SceneType": {1: "photographed directly"},
    "SensingMethod": {
        1: "undefined",
        2: "one-chip colour area",
        3: "two-chip colour area",
        4: "three-chip colour area",
        5: "colour sequential area",
        7: "trilinear",
        8: "colour sequential linear",
    },
    "SensitivityType": {1: "standard output sensitivity", 2: "recommended exposure index", 3: "ISO speed"},
    "Sharpness": {0: "normal", 1: "soft", 2: "hard"},
    "SubjectDistanceRange": {1: "macro", 2: "close", 3: "distant"},
    "WhiteBalance": {0: "automatic", 1: "manual"},
    "YCbCrPositioning": {1: "centred", 2: "co-sited"},
}

_MODES = {1: "always on", 2: "always off", 3: "automatic"}
_RETURNS = {2: "no return light seen", 3: "return light seen"}


def flash(bits: int) -> str:
    """The bit field of the tag Flash in words."""
    if bits & 0x20:
        return "none"
    parts = ["fired" if bits & 1 else "did not fire", _MODES.get(bits >> 3 & 3), _RETURNS.get(bits >> 1 & 3)]
    return ", ".join(part for part in (*parts, "red-eye reduction" if bits & 0x40 else None) if part)
