"""Pure functions of weights, target and metric: products, loss, gradient, Hessian, lines."""

from thalweg.network._blocks import (
    Block as Block,
    blocks as blocks,
    gradient_rounding as gradient_rounding,
    unit_labels as unit_labels,
)
from thalweg.network._hessian import (
    dense_hessian as dense_hessian,
    hessian_product as hessian_product,
    hessian_size as hessian_size,
    pack as pack,
    unpack as unpack,
)
from thalweg.network._inertia import inertia as inertia, norm_bound as norm_bound
from thalweg.network._line import line_polynomial as line_polynomial
from thalweg.network._loss import (
    gradient as gradient,
    loss as loss,
    loss_and_gradient as loss_and_gradient,
    residual as residual,
)
from thalweg.network._products import (
    end_to_end as end_to_end,
    prefix_products as prefix_products,
    suffix_products as suffix_products,
)
