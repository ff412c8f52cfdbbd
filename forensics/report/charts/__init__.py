"""Pictures of the report: small SVG of our own, whole integers, classes for colours, no style and no script."""
