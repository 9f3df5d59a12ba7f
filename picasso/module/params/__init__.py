"""Parameters at run time: those of the file, and those that change while the module runs."""

from picasso.module.params.evaluate import Dynamic, eval_expr, use_dynamic
from picasso.module.params.expression import ExpressionError
from picasso.module.params.storage import Parameters, fill, param_storage

__all__ = ["Dynamic", "ExpressionError", "Parameters", "eval_expr", "fill", "param_storage", "use_dynamic"]
