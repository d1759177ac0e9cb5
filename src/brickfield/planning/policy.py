"""What a plan aims at, as one frozen value.

A policy holds wishes only (errors in pixels, shares of a budget), never sizes
in bytes or facts of a pyramid, so that one policy serves every layer and every
machine. Three are named: ``exploration`` for interaction,
``playback`` for a running time series and ``export`` for pictures that must not
depend on what was seen before.
"""

from __future__ import annotations

from dataclasses import dataclass

from brickfield.errors import OptionError


@dataclass(frozen=True, slots=True)
class LodPolicy:
    """What the choice of levels aims at.

    Attributes
    ----------
    target_error_px : float
        A chunk is refined while its voxels are larger on the screen, pixels.
    hysteresis : float
        Share below the target that a refined chunk may fall before it is
        coarsened again, 0 to 1 (exclusive).
    motion_bias : float
        Factor on the target for new refinement while the camera moves, at
        least 1. What is refined already stays so.
    base_share : float
        Share of the budget that the overview of a view may cost: see
        :attr:`~brickfield.planning.frame_plan.FramePlan.base_level`. Behind a slice the
        coarsest level is kept whole within it.
    way_share : float
        What the levels between the coarsest and the leaves may cost to read, as a
        share of the leaves, so that a picture sharpens in steps. From 1 on all of them
        are kept (mostly a seventh of the leaves), and the leaves leave room for them.
    is_still : bool
        Whether the camera will not move: nothing is kept for what would come into
        view, or be drawn, next.
    prefetch_share : float
        Largest share of the budget for chunks just outside of the view; only
        what the view leaves over is used. 0 plans none.
    forced_level : int or None
        Show this level everywhere instead of choosing by error.

    Raises
    ------
    OptionError
        If a value is out of its range.
    """

    target_error_px: float = 1.0
    hysteresis: float = 0.15
    motion_bias: float = 1.0
    base_share: float = 0.08
    prefetch_share: float = 0.0
    forced_level: int | None = None
    way_share: float = 0.02
    is_still: bool = False

    def __post_init__(self) -> None:
        checks = (
            ("target_error_px above 0", self.target_error_px, self.target_error_px > 0),
            ("hysteresis from 0 to below 1", self.hysteresis, 0 <= self.hysteresis < 1),
            ("motion_bias of at least 1", self.motion_bias, self.motion_bias >= 1),
            ("base_share from 0 to 1", self.base_share, 0 <= self.base_share <= 1),
            ("way_share of at least 0", self.way_share, self.way_share >= 0),
            (
                "prefetch_share from 0 to 1",
                self.prefetch_share,
                0 <= self.prefetch_share <= 1,
            ),
        )
        for wish, found, is_good in checks:
            if not is_good:
                msg = f"expected {wish}; found {found}: choose a value in that range"
                raise OptionError(msg)

    @property
    def keeps_way(self) -> bool:
        """Whether all levels over the leaves are kept."""
        return self.way_share >= 1

    @classmethod
    def named(cls, name: str) -> LodPolicy:
        """Return a named profile.

        Raises
        ------
        OptionError
            If there is no profile of that name.
        """
        if name not in PROFILES:
            msg = (
                f"expected a policy named {', '.join(PROFILES)}; found {name!r}:"
                " choose one of these"
            )
            raise OptionError(msg)
        return PROFILES[name]


EXPLORATION = LodPolicy(motion_bias=2.0)
"""For interaction: new detail waits until the camera slows down."""
PLAYBACK = LodPolicy(
    target_error_px=1.5, motion_bias=2.0, base_share=0.1, way_share=0.2
)
"""A running series: less to read a frame, and a richer level to fall back to."""
EXPORT = LodPolicy(hysteresis=0.0, base_share=0.05, is_still=True)
"""Pictures for print: the same view always gives the same plan."""
PROFILES = {"exploration": EXPLORATION, "playback": PLAYBACK, "export": EXPORT}
