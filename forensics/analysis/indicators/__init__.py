"""Where indicators stand in the evidence, and what of this case others should look for."""
