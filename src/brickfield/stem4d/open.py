"""From a file to a scan, by its name and what the user says of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from brickfield.errors import OptionError, StoreFormatError, StoreNotFoundError
from brickfield.sources import foreign
from brickfield.sources.io import local_path
from brickfield.sources.scans import Scan, ScanOptions
from brickfield.stem4d.corrections import CorrectionOptions, Pattern, corrected
from brickfield.stem4d.reductions import pattern_of

MIB = (".mib",)
EMD = (".emd", ".h5", ".hdf5", ".hdf", ".nxs")
EMPAD = (".xml", ".raw")
SUPPORTED = ".mib, .emd, .h5, .hdf5, .hdf, .nxs, EMPAD's .xml and .raw"


@dataclass(frozen=True, slots=True)
class OpenOptions:
    """What a user says of a file.

    Attributes
    ----------
    scan : ScanOptions
    this_file_only : bool
        Take no other file of a MIB acquisition.
    dataset : str or None
        Path of the scan in an HDF5 file.
    series : int or None
        Which of several scans, from 0.
    raw : str or None
        ``DTYPE,NY,NX,H,W[,OFFSET]``: frames without any description.
    corrections : CorrectionOptions
    is_growing : bool
        A MIB acquisition goes on: the scan has its shape already, and patterns that
        are not written yet are 0.
    """

    scan: ScanOptions = field(default_factory=ScanOptions)
    this_file_only: bool = False
    dataset: str | None = None
    series: int | None = None
    raw: str | None = None
    corrections: CorrectionOptions = field(default_factory=CorrectionOptions)
    is_growing: bool = False


def open_scan(path: str | Path, options: OpenOptions | None = None) -> Scan:
    """Open a scan of any format.

    Parameters
    ----------
    path : str or Path
    options : OpenOptions, optional

    Returns
    -------
    Scan
        Close it.

    Raises
    ------
    StoreNotFoundError, StoreAccessError, StoreFormatError, OptionError
    MissingExtraError
        If a filter of an HDF5 file is not installed.
    """
    options = options or OpenOptions()
    if not str(path).strip() or "\0" in str(path):
        msg = f"expected the path of a scan; found {str(path)[:80]!r}"
        raise OptionError(msg)
    where = local_path(path)
    with foreign(str(where)):
        if not where.exists():
            check_supported(where, options)
            msg = f"expected a scan at {where}; found nothing: check the path"
            raise StoreNotFoundError(msg)
        scan = _open(where, options)
        try:
            return corrected(
                scan, options.corrections, _mean_of, is_growing=options.is_growing
            )
        except BaseException:
            scan.close()
            raise


def _open(path: Path, options: OpenOptions) -> Scan:
    check_supported(path, options)
    suffix = path.suffix.lower()
    if options.is_growing and (options.raw is not None or suffix not in MIB):
        msg = f"expected a .mib file to follow; found {path}"
        raise OptionError(msg)
    if options.raw is None and suffix in MIB:
        from brickfield.sources.mib import open_mib_scan as open_mib

        return open_mib(
            path,
            options.scan,
            this_file_only=options.this_file_only,
            is_growing=options.is_growing,
        )
    if options.raw is None and suffix in EMD:
        from brickfield.sources.emd import open_emd_scan as open_emd

        return open_emd(
            path, options.scan, dataset=options.dataset, series=options.series
        )
    from brickfield.sources.scans import open_flat_scan

    return open_flat_scan(path, options.scan, options.raw)


def _mean_of(path: str | Path) -> Pattern:
    """Return the mean pattern of a dark or gain scan."""
    scan = open_scan(path)
    try:
        return pattern_of(scan.data)
    finally:
        scan.close()


def check_supported(path: Path, options: OpenOptions | None = None) -> None:
    """Refuse a name that no reader of scans knows.

    Parameters
    ----------
    path : Path
    options : OpenOptions, optional
        Raw frames have any name.

    Raises
    ------
    StoreFormatError
        A ValueError that says "Unsupported file format".
    """
    if options is not None and options.raw is not None:
        return
    if path.suffix.lower() not in (*MIB, *EMD, *EMPAD):
        msg = (
            f"Unsupported file format: expected one of {SUPPORTED}; found {path.name};"
            " frames without a description open with --raw DTYPE,NY,NX,H,W"
        )
        raise StoreFormatError(msg)
