"""Whether advised mitigations were in place, answered from the evidence: a module a family of questions."""
