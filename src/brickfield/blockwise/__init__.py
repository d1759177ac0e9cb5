"""Bounded-memory work over blocks: grids, budgets, reductions, jobs, executors."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.blockwise.blocks import Block as Block
    from brickfield.blockwise.blocks import BlockGrid as BlockGrid
    from brickfield.blockwise.blocks import Slices as Slices
    from brickfield.blockwise.blocks import intersect as intersect
    from brickfield.blockwise.blocks import shift as shift
    from brickfield.blockwise.budget import block_shape as block_shape
    from brickfield.blockwise.budget import format_bytes as format_bytes
    from brickfield.blockwise.budget import parse_bytes as parse_bytes
    from brickfield.blockwise.buffers import ThreadBuffers as ThreadBuffers
    from brickfield.blockwise.executors import Executor as Executor
    from brickfield.blockwise.executors import open_executor as open_executor
    from brickfield.blockwise.gathering import Gathered as Gathered
    from brickfield.blockwise.gathering import GatherOptions as GatherOptions
    from brickfield.blockwise.gathering import gather as gather
    from brickfield.blockwise.jobs import BlockFailure as BlockFailure
    from brickfield.blockwise.jobs import BlockJob as BlockJob
    from brickfield.blockwise.jobs import JobOptions as JobOptions
    from brickfield.blockwise.jobs import JobResult as JobResult
    from brickfield.blockwise.jobs import Progress as Progress
    from brickfield.blockwise.jobs import run_jobs as run_jobs
    from brickfield.blockwise.journal import Journal as Journal
    from brickfield.blockwise.journal import OtherWorkError as OtherWorkError
    from brickfield.blockwise.journal import read_fingerprint as read_fingerprint
    from brickfield.blockwise.machine_memory import usable_bytes as usable_bytes
    from brickfield.blockwise.reduce import Extrema as Extrema
    from brickfield.blockwise.reduce import Histogram as Histogram
    from brickfield.blockwise.reduce import count_values as count_values
    from brickfield.blockwise.reduce import extrema as extrema
    from brickfield.blockwise.reduce import has_exact_counts as has_exact_counts
    from brickfield.blockwise.reduce import map_blocks as map_blocks

__all__ = [
    "Block",  # One block of an array.
    "BlockFailure",  # A block that failed twice.
    "BlockGrid",  # All blocks of an array; a sequence that computes its items.
    "BlockJob",  # One job.
    "Executor",  # Works on blocks.
    "Extrema",  # Smallest and largest value, their number and sum.
    "GatherOptions",  # How values are gathered.
    "Gathered",  # What a pass came to.
    "Histogram",  # Counts between edges.
    "JobOptions",  # How jobs are run.
    "JobResult",  # What became of some jobs.
    "Journal",  # An open journal. Thread rule: one thread uses it.
    "OtherWorkError",  # Raised when a journal tells of another source or other options.
    "Progress",  # Told (blocks done, blocks in all, bytes written, seconds left or None), on the
    "Slices",
    "ThreadBuffers",  # One reusable buffer for each thread.
    "block_shape",  # Choose the largest block that every worker may hold.
    "count_values",  # Count every value of an 8- or 16-bit integer block (256 or 65536 counts).
    "extrema",  # Find smallest, largest, number and sum of all values.
    "format_bytes",  # Write bytes for people, for example ``"1.5 GiB"`` or ``"640 B"``.
    "gather",  # Make a value of every block and merge them, in order, into one state.
    "has_exact_counts",  # Tell whether values of this type are counted one by one.
    "intersect",  # Return the voxels common to two regions (empty slices when none are).
    "map_blocks",  # Read every block and apply a function, in block order.
    "open_executor",  # Open an executor by the address that a user gives.
    "parse_bytes",  # Read a number of bytes.
    "read_fingerprint",  # Read of what work a journal tells, without holding it; None if there is none.
    "run_jobs",  # Run jobs one after the other.
    "shift",  # Return a region relative to an origin: moved by minus `offset`.
    "usable_bytes",  # Return the bytes that one piece of work may take: 80 % of what is left.
]

_HOME = {
    "Block": "blocks",
    "BlockFailure": "jobs",
    "BlockGrid": "blocks",
    "BlockJob": "jobs",
    "Executor": "executors",
    "Extrema": "reduce",
    "GatherOptions": "gathering",
    "Gathered": "gathering",
    "Histogram": "reduce",
    "JobOptions": "jobs",
    "JobResult": "jobs",
    "Journal": "journal",
    "OtherWorkError": "journal",
    "Progress": "jobs",
    "Slices": "blocks",
    "ThreadBuffers": "buffers",
    "block_shape": "budget",
    "count_values": "reduce",
    "extrema": "reduce",
    "format_bytes": "budget",
    "gather": "gathering",
    "has_exact_counts": "reduce",
    "intersect": "blocks",
    "map_blocks": "reduce",
    "open_executor": "executors",
    "parse_bytes": "budget",
    "read_fingerprint": "journal",
    "run_jobs": "jobs",
    "shift": "blocks",
    "usable_bytes": "machine_memory",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
