/* The flow integrated by CVODE without Python in the loop: BDF, dense, analytic Jacobian.

   The prototypes below are those of SUNDIALS 7 with 32-bit indices, as scikit-sundae bundles it
   without headers. Compiled by cvode_c.py. Notation: W_l is d_{l+1} x d_l, R_l = W_{L-1} ... W_l,
   M = T - R_0 D, N_0 = M D, N_{l+1} = N_l W_l^T, dW_l/dt = R_{l+1}^T N_l. */
#include <stdlib.h>
#include <string.h>

typedef void *Handle;
int SUNContext_Create(int comm, Handle *context);
void SUNContext_Free(Handle *context);
int SUNContext_ClearErrHandlers(Handle context);
Handle N_VMake_Serial(int length, double *data, Handle context);
double *N_VGetArrayPointer(Handle v);
void N_VDestroy(Handle v);
Handle SUNDenseMatrix(int rows, int columns, Handle context);
double *SUNDenseMatrix_Data(Handle matrix);
void SUNMatDestroy(Handle matrix);
Handle SUNLinSol_Dense(Handle y, Handle matrix, Handle context);
Handle SUNLinSol_LapackDense(Handle y, Handle matrix, Handle context);
int SUNLinSolFree(Handle solver);
typedef int (*Rhs)(double, Handle, Handle, void *);
typedef int (*Jacobian)(double, Handle, Handle, Handle, void *, Handle, Handle, Handle);
Handle CVodeCreate(int method, Handle context);
int CVodeInit(Handle memory, Rhs rhs, double t0, Handle y);
int CVodeSStolerances(Handle memory, double rtol, double atol);
int CVodeSetUserData(Handle memory, void *data);
int CVodeSetMaxNumSteps(Handle memory, long steps);
int CVodeSetStopTime(Handle memory, double t);
int CVodeSetLinearSolver(Handle memory, Handle solver, Handle matrix);
int CVodeSetJacFn(Handle memory, Jacobian jacobian);
int CVode(Handle memory, double t, Handle y, double *reached, int task);
int CVodeGetNumSteps(Handle memory, long *steps);
int CVodeGetNumRhsEvals(Handle memory, long *count);
void CVodeFree(Handle *memory);

enum { deepest = 16, bdf = 2, normal = 1, one_step = 2 };

typedef struct {
    int depth, size, outputs;
    const int *dims;
    int start[deepest + 1];
    const double *target, *metric;
    double *r[deepest + 1], *n[deepest + 1], *front[deepest + 1], *scratch;
    double loss;
} Flow;

/* C = A B, all row-major; rows of C are sums of rows of B. */
static void multiply(int rows, int cols, int terms, const double *restrict a,
                     const double *restrict b, double *restrict c) {
    for (int i = 0; i < rows; ++i) {
        memset(c + i * cols, 0, sizeof(double) * cols);
        for (int k = 0; k < terms; ++k) {
            const double left = a[i * terms + k];
            for (int j = 0; j < cols; ++j) c[i * cols + j] += left * b[k * cols + j];
        }
    }
}
/* C = A^T B with A: terms x rows. */
static void multiply_left(int rows, int cols, int terms, const double *restrict a,
                          const double *restrict b, double *restrict c) {
    for (int i = 0; i < rows; ++i) {
        memset(c + i * cols, 0, sizeof(double) * cols);
        for (int k = 0; k < terms; ++k) {
            const double left = a[k * rows + i];
            for (int j = 0; j < cols; ++j) c[i * cols + j] += left * b[k * cols + j];
        }
    }
}
/* C = A B^T with B: cols x terms. */
static void multiply_right(int rows, int cols, int terms, const double *restrict a,
                           const double *restrict b, double *restrict c) {
    for (int i = 0; i < rows; ++i)
        for (int j = 0; j < cols; ++j) {
            double sum = 0;
            for (int k = 0; k < terms; ++k) sum += a[i * terms + k] * b[j * terms + k];
            c[i * cols + j] = sum;
        }
}

static void sweep(Flow *f, const double *y) {
    const int last = f->depth - 1, m = f->outputs, *d = f->dims;
    memcpy(f->r[last], y + f->start[last], sizeof(double) * m * d[last]);
    for (int l = last - 1; l >= 0; --l)
        multiply(m, d[l], d[l + 1], f->r[l + 1], y + f->start[l], f->r[l]);
    f->loss = 0;
    for (int i = 0; i < m; ++i)
        for (int j = 0; j < d[0]; ++j) {
            const double e = f->target[i * d[0] + j] - f->r[0][i * d[0] + j] * f->metric[j];
            f->loss += 0.5 * e * e;
            f->n[0][i * d[0] + j] = e * f->metric[j];
        }
    for (int l = 0; l < last; ++l)
        multiply_right(m, d[l + 1], d[l], f->n[l], y + f->start[l], f->n[l + 1]);
}

static int rhs(double t, Handle at, Handle out, void *data) {
    (void)t;
    Flow *f = data;
    double *slope = N_VGetArrayPointer(out);
    sweep(f, N_VGetArrayPointer(at));
    const int last = f->depth - 1, *d = f->dims;
    for (int l = 0; l < last; ++l)
        multiply_left(d[l + 1], d[l], f->outputs, f->r[l + 1], f->n[l], slope + f->start[l]);
    memcpy(slope + f->start[last], f->n[last], sizeof(double) * f->outputs * d[last]);
    return 0;
}

/* Symmetric, so rows and columns may be exchanged. */
static int jacobian(double t, Handle at, Handle slope, Handle matrix, void *data, Handle a,
                    Handle b, Handle c) {
    (void)t, (void)slope, (void)a, (void)b, (void)c;
    Flow *f = data;
    const double *y = N_VGetArrayPointer(at);
    double *full = SUNDenseMatrix_Data(matrix);
    const int size = f->size, m = f->outputs, depth = f->depth, *d = f->dims;
    sweep(f, y);
    memset(f->front[0], 0, sizeof(double) * d[0] * d[0]);
    for (int i = 0; i < d[0]; ++i) f->front[0][i * d[0] + i] = f->metric[i];
    for (int l = 1; l < depth; ++l)
        multiply(d[l], d[0], d[l - 1], y + f->start[l - 1], f->front[l - 1], f->front[l]);
    for (int i = 0; i < depth; ++i)
        for (int j = 0; j <= i; ++j) {
            const int p = d[i + 1], q = d[i], u = d[j + 1], v = d[j];
            double *left = f->scratch, *seen = left + p * u, *pull = seen + q * v;
            double *middle = pull + p * v, *other = middle + q * u;
            /* R_{i+1}^T R_{j+1}, where R_depth is the identity */
            if (i == depth - 1 && j == depth - 1) {
                memset(left, 0, sizeof(double) * p * u);
                for (int k = 0; k < p; ++k) left[k * u + k] = 1;
            } else if (i == depth - 1) {
                memcpy(left, f->r[j + 1], sizeof(double) * p * u);
            } else {
                multiply_left(p, u, m, f->r[i + 1], f->r[j + 1], left);
            }
            multiply_right(q, v, d[0], f->front[i], f->front[j], seen);
            if (j < i) {
                if (i == depth - 1) memcpy(pull, f->n[j], sizeof(double) * p * v);
                else multiply_left(p, v, m, f->r[i + 1], f->n[j], pull);
                memset(middle, 0, sizeof(double) * u * u);
                for (int k = 0; k < u; ++k) middle[k * u + k] = 1;
                for (int k = j + 1; k < i; ++k) {
                    multiply(d[k + 1], u, d[k], y + f->start[k], middle, other);
                    memcpy(middle, other, sizeof(double) * d[k + 1] * u);
                }
            }
            for (int x = 0; x < p; ++x)
                for (int z = 0; z < q; ++z) {
                    double *row = full + (size_t)(f->start[i] + x * q + z) * size + f->start[j];
                    for (int k = 0; k < u; ++k)
                        for (int l = 0; l < v; ++l)
                            row[k * v + l] = -left[x * u + k] * seen[z * v + l];
                    if (j < i)
                        for (int k = 0; k < u; ++k)
                            for (int l = 0; l < v; ++l)
                                row[k * v + l] += pull[x * v + l] * middle[z * u + k];
                }
            if (j < i)
                for (int x = 0; x < p * q; ++x)
                    for (int k = 0; k < u * v; ++k)
                        full[(size_t)(f->start[j] + k) * size + f->start[i] + x] =
                            full[(size_t)(f->start[i] + x) * size + f->start[j] + k];
        }
    return 0;
}

/* Integrates y in place to t_end, or until the loss is `loss_stop`; returns 0, or what CVODE says.
   linear: 0 dense, 1 LAPACK; analytic: 1, or 0 for difference quotients. */
int cvode_flow(int depth, const int *dims, const double *target, const double *metric, double *y,
               double t_end, double loss_stop, double rtol, double atol, long max_steps,
               int linear, int analytic, long *counts) {
    Flow f = {.depth = depth, .dims = dims, .target = target, .metric = metric};
    int widest = 0;
    f.outputs = dims[depth];
    for (int l = 0; l <= depth; ++l) widest = dims[l] > widest ? dims[l] : widest;
    for (int l = 0; l < depth; ++l) f.start[l + 1] = f.start[l] + dims[l] * dims[l + 1];
    f.size = f.start[depth];
    const size_t square = (size_t)widest * widest;
    double *space = malloc(sizeof(double) * square * (3 * depth + 6)), *next = space;
    for (int l = 0; l < depth; ++l) {
        f.r[l] = next, f.n[l] = next + square, f.front[l] = next + 2 * square;
        next += 3 * square;
    }
    f.scratch = next;
    Handle context = NULL;
    int flag = SUNContext_Create(0, &context);
    SUNContext_ClearErrHandlers(context);
    Handle at = N_VMake_Serial(f.size, y, context);
    Handle matrix = SUNDenseMatrix(f.size, f.size, context);
    Handle solver = (linear ? SUNLinSol_LapackDense : SUNLinSol_Dense)(at, matrix, context);
    Handle memory = CVodeCreate(bdf, context);
    double reached = 0;
    if (!flag) flag = CVodeInit(memory, rhs, 0.0, at);
    if (!flag) flag = CVodeSStolerances(memory, rtol, atol);
    CVodeSetUserData(memory, &f);
    CVodeSetMaxNumSteps(memory, max_steps);
    if (!flag) flag = CVodeSetLinearSolver(memory, solver, matrix);
    if (!flag && analytic) flag = CVodeSetJacFn(memory, jacobian);
    if (!flag && t_end > 0 && loss_stop < 0) {
        CVodeSetStopTime(memory, t_end);
        flag = CVode(memory, t_end, at, &reached, normal);
    } else if (!flag) {
        f.loss = loss_stop + 1;
        for (long k = 0; k < max_steps && flag >= 0 && f.loss > loss_stop; ++k) {
            flag = CVode(memory, 1e300, at, &reached, one_step);
            sweep(&f, N_VGetArrayPointer(at));
        }
        if (f.loss > loss_stop) flag = -1;
    }
    if (counts) CVodeGetNumSteps(memory, counts), CVodeGetNumRhsEvals(memory, counts + 1);
    CVodeFree(&memory);
    SUNLinSolFree(solver);
    SUNMatDestroy(matrix);
    N_VDestroy(at);
    SUNContext_Free(&context);
    free(space);
    return flag < 0 ? flag : 0;
}
