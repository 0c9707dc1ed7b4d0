"""The operator's verbs: each makes a Plan and applies it."""
