"""Rules as the registry would hold them, with documents written for the reports' tests."""

from taxcheck.rule import Document, Finding, Rule, Severity

_SEVERITIES = {"F": Severity.FAIL, "W": Severity.WARN, "I": Severity.INFO}

CATALOGUE = {
    "MAP001": ("invalid_row", "F"),
    "MAP002": ("duplicate_taxid", "F"),
    "MAP003": ("duplicate_idx", "F"),
    "MAP004": ("index_hole", "F"),
    "MAP005": ("swapped_columns", "F"),
    "MAP006": ("unknown_taxid", "W"),
    "MAP007": ("taxid_as_index", "F"),
    "MAP008": ("noise_taxon", "I"),
    "MAP009": ("not_ancestor_closed", "W"),
    "PAIR001": ("invalid_row", "F"),
    "PAIR002": ("index_out_of_range", "F"),
    "PAIR003": ("coverage_gap", "F"),
    "PAIR004": ("table_too_small", "F"),
    "PAIR005": ("self_pair", "F"),
    "PAIR006": ("duplicate_pair", "F"),
    "PAIR007": ("reversed_pair", "F"),
    "PAIR008": ("depth_mismatch", "F"),
    "PAIR009": ("depth_imbalance", "I"),
    "PAIR010": ("taxid_disagreement", "F"),
    "PAIR011": ("ancestor_dominance", "I"),
    "PAIR012": ("split_leak", "F"),
    "PAIR013": ("false_negative_risk", "I"),
    "PAIR014": ("index_range_as_taxids", "F"),
    "PAIR015": ("swapped_pair_columns", "F"),
    "TREE001": ("cycle", "F"),
    "TREE002": ("several_parents", "F"),
    "TREE003": ("several_roots", "I"),
    "TREE004": ("missing_ancestor_pair", "F"),
    "TREE005": ("false_ancestor_pair", "F"),
    "TREE006": ("inconsistent_depth", "F"),
    "TREE007": ("missing_parent", "F"),
    "TREE008": ("rank_inversion", "W"),
    "TREE009": ("disagrees_with_taxonomy", "F"),
}

AFTER_TRAINING = {
    "EMB001": ("row_count_mismatch", "F"),
    "EMB002": ("non_finite", "F"),
    "EMB003": ("outside_ball", "F"),
    "EMB004": ("boundary_saturation", "F"),
    "EMB005": ("norm_collapse", "W"),
    "EMB006": ("never_trained", "F"),
    "EMB007": ("duplicate_row", "W"),
    "EMB008": ("dimensional_collapse", "W"),
    "EMB009": ("precision_loss", "W"),
    "EMB010": ("distance_ceiling", "W"),
    "HIER001": ("radius_ignores_depth", "W"),
    "HIER002": ("child_inside_parent", "W"),
    "HIER003": ("weak_reconstruction", "F"),
    "HIER004": ("parent_not_found", "W"),
    "HIER005": ("scattered_group", "W"),
    "HIER006": ("weak_separation", "W"),
    "HIER007": ("root_off_centre", "I"),
    "HIER008": ("hubness", "I"),
    "HIER009": ("siblings_not_near", "W"),
    "TRAIN001": ("regularizer_too_strong", "W"),
    "TRAIN002": ("clip_too_near", "W"),
    "TRAIN003": ("init_too_near", "W"),
    "TRAIN004": ("early_stopping_misread", "F"),
    "TRAIN005": ("table_size_from_pairs", "F"),
    "TRAIN006": ("too_few_updates", "W"),
    "TRAIN007": ("dimension_for_size", "I"),
    "TRAIN008": ("quality_by_proxy", "I"),
    "TRAIN009": ("unhealthy_curve", "W"),
}

_DOCUMENTS = {
    "PAIR014": Document(
        summary=(
            "idx values were used as the set of valid taxids: the mapping's columns were read in "
            "the wrong order."
        ),
        why=(
            "Every taxon whose taxid is smaller than the number of nodes gets its pairs; every "
            "other one gets none, whatever its place in the tree. Rows of the embedding table "
            "exist for the uncovered nodes, so nothing crashes: they keep their random start and "
            "are handed out as if they had been trained.\n\n"
            "Sizing the table from the mapping hides the symptom and leaves the cause."
        ),
        fix=(
            "Read the mapping as ``taxid, idx`` where the pairs are built, then rebuild them:\n\n"
            "    taxcheck run --mapping mapping.tsv --pairs pairs.parquet \\\n"
            "        --taxonomy taxdump/ --failures out/\n\n"
            "- Compare the number of covered nodes before and after.\n"
            "- Train again from the start; a resumed run keeps the untrained rows."
        ),
        exceptions=(
            "A mapping restricted on purpose to low taxids. Both groups need 100 nodes or more "
            "before the rule judges."
        ),
        references=(
            "NCBI Taxonomy, https://www.ncbi.nlm.nih.gov/taxonomy (taxids are not dense).\n\n"
            "Nickel and Kiela 2017, Poincaré Embeddings, https://arxiv.org/abs/1705.08039."
        ),
    ),
    "PAIR003": Document(
        summary="Nodes of the mapping are in no training pair.",
        why=(
            "A node in no pair receives no gradient as an anchor or a positive. Its row keeps the "
            "random start, and every evaluation that averages over rows counts it."
        ),
        fix="Build the pairs from the same mapping: ``set(mapping['taxid'])``.",
        exceptions="Isolated roots of a forest that were left out on purpose.",
        references="Nickel and Kiela 2017, section 3, https://arxiv.org/abs/1705.08039.",
    ),
    "PAIR009": Document(
        summary="Training pairs are spread unevenly over depth differences.",
        why=(
            "A sampler that draws pairs as they come spends most draws on far ancestors; the "
            "near ones, which decide neighbourhoods, are seen seldom."
        ),
        fix='Draw pairs balanced by depth: set ``sampler = "balanced"`` in ``[dataset]``.',
        exceptions=(
            "The closure of a deep tree has this histogram by nature; it is then shown and not "
            "held against the data."
        ),
        references="All of NCBI: 5.5 / 21.9 / 72.6 % at depth 1 / 2 to 5 / deeper.",
    ),
}


def _document(name: str) -> Document:
    said = name.replace("_", " ")
    return Document(
        summary=f"The data shows the defect {said}.",
        why=f"Where there is {said}, training optimises something other than the hierarchy.",
        fix="Build the pairs from the taxonomy again.",
        exceptions="None known.",
        references="Sala et al. 2018, https://arxiv.org/abs/1804.03329.",
    )


def rule(id: str, caused_by: tuple[str, ...] = (), document: Document | None = None) -> Rule:
    name, severity = (CATALOGUE | AFTER_TRAINING)[id]
    return Rule(
        id=id,
        name=name,
        severity=_SEVERITIES[severity],
        function=lambda: Finding(False, ""),
        needs=(),
        wants=(),
        thresholds={},
        caused_by=caused_by,
        document=document or _DOCUMENTS.get(id) or _document(name),
    )
