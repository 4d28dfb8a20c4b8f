"""One sentence for each figure that says how it is read: the only place for these texts."""

from __future__ import annotations

#: Id of a figure -> its help line.
HELP = {
    "overview-strip": "Each line is one material, the best conductor on top: a point is its conductivity, a bar its "
    "95 % interval, an arrow an upper bound, a star a measurement.",
    "screening-funnel": "Each bar is one stage: how many materials passed it, were unsure, were dropped, or were not "
    "reached.",
    "screening-cost": "The further right, the more core time a stage has taken.",
    "screening-ranking": "The materials left after a stage in order, with intervals; the dashed line is the cut.",
    "screening-recall": "Of the measured conductors, the share that each cut has kept.",
    "screening-hop-cell": "The path of one ion from site to site through the crystal; drag to turn it.",
    "screening-map-cell": "Where one ion can be up to an energy, which the slider chooses: a surface that goes through "
    "the cell is a pathway; drag to turn it.",
    "materials-figure": "Each point is one result of a material in the table; drag a box to keep only those in it.",
    "materials-arrhenius": "Steeper lines have a higher activation energy; the higher the line, the better the "
    "conductor at that temperature.",
    "material-arrhenius": "Diffusion at each temperature and the line through it: the steeper the line, the higher the "
    "activation energy; hollow points were refused, arrows are upper bounds, stars are measurements.",
    "material-msd": "How far the ions got in a time: where they diffuse, the curve rises with a slope of one on "
    "logarithmic axes.",
    "material-rdf": "Distances between framework atoms early and late in the run: two different curves mean that the "
    "framework has changed or melted.",
    "material-cell": "The mobile ions in the crystal: their paths, where they mostly are, or all atoms in time; drag "
    "to turn it.",
    "material-ordering": "One ordered cell of the disordered crystal; rings mark sites that are shared in the crystal.",
    "material-history": "The error of the diffusivity after each round of longer runs, and the error asked for.",
    "compare-parity": "A point on the dashed line is a material for which both agree; above it, the level of theory "
    "gives more than the reference.",
    "compare-errors": "How far each material is from the reference: right of the line is too high, left of it too low.",
    "compare-elements": "Each element is coloured by the mean signed difference of the materials that contain it: a "
    "plus is too high, a minus too low, and the number below is how many pairs it is the mean of.",
    "compare-pareto": "The lower and the further left, the more accurate and the cheaper.",
    "compare-force-figure": "Forces of both levels on the same frames: a slope below the dashed line means too soft a "
    "potential.",
    "potentials-curve": "Errors during the training: a validation error that rises again is overfitting.",
    "potentials-parity": "Forces of the potential beside those that it was trained on: the closer to the line, the "
    "better.",
    "potentials-loops": "Each loop of the student: its force error above, and how long each run survived below.",
    "potentials-committee": "Whether the members of the committee disagree where they are wrong: points near the line "
    "have a spread that tells the error.",
    "potentials-watch": "The closest pair of atoms in each frame: below its dashed line the run has left what the "
    "potential was trained on.",
    "potentials-before": "Diffusivities before and after the training, beside those of the level of theory of the "
    "labels.",
    "surrogate-parity": "Each material predicted by a model that has not seen it: the closer to the line, the better.",
    "surrogate-residuals": "The error of each chemical system: right of the line is predicted too high.",
    "surrogate-arms": "The model beside its controls: it has learned something where its bar is the longest.",
    "surrogate-curves": "Whether the error still falls with longer training.",
    "provenance-graph": "Read from left to right: every box is a node that this one was made from; click one to go "
    "there.",
}


def help_line(figure_id: str) -> str | None:
    """Return the help line of a figure; ``None`` for one without."""
    return HELP.get(figure_id)
