// The gradient by backpropagation through time; included by the float bodies after lstm_body.h and lstm_forward.h.

/// The operands of a row lie `step` apart, those of the next row beside them: products with a transposed matrix.
static void tile_across(int rows, const float *a, size_t step, const float *b, size_t depth, float *sums) {
    switch (rows) {
    case 1: return tile_rows(1, 4, a, 1, step, b, depth, sums);
    case 2: return tile_rows(2, 4, a, 1, step, b, depth, sums);
    case 3: return tile_rows(3, 4, a, 1, step, b, depth, sums);
#if row_group > 3
    case 4: return tile_rows(4, 4, a, 1, step, b, depth, sums);
    case 5: return tile_rows(5, 4, a, 1, step, b, depth, sums);
    default: return tile_rows(6, 4, a, 1, step, b, depth, sums);
#endif
    }
}

/// What a layer leaves behind for the way back.
typedef struct {
    layer l;
    /// [block][step * row][64]: the gates after their activation, later the slopes before it.
    float *gates;
    /// [1 + step][row][stride], zero before the first step.
    float *states;
    float *outputs;
    const float *inputs;
    size_t input_stride;
    int is_constant;
} trace;

static void remember(trace *t, size_t steps, size_t rows, float *products) {
    const layer *l = &t->l;
    size_t all = steps * rows, size = rows * l->stride;
    memset(t->states, 0, size * sizeof(float));
    memset(t->outputs, 0, size * sizeof(float));
    if (t->is_constant) project(l, t->inputs, t->input_stride, rows, products);
    for (size_t at = 0; at < steps; at++) {
        for (size_t block = 0; block < l->blocks; block++) {
            const float *panel = l->panels + block * slots(l) * slot;
            float *sums = t->gates + (block * all + at * rows) * slot;
            for (size_t row = 0; row < rows; row++) {
                const float *start =
                    t->is_constant ? products + (block * rows + row) * slot : panel + (slots(l) - 1) * slot;
                copy_slots(sums + row * slot, start, 1);
            }
            for (size_t first = 0, count; first < rows; first += count) {
                count = group_of(rows - first);
                if (!t->is_constant)
                    tile(
                        (int)count, 4, t->inputs + (at * rows + first) * t->input_stride, t->input_stride, panel,
                        l->input_depth, sums + first * slot);
                tile(
                    (int)count, 4, t->outputs + at * size + first * l->stride, l->stride, panel + l->input_depth * slot,
                    l->state_depth, sums + first * slot);
            }
            for (size_t row = 0; row < rows; row++) {
                float *gates = sums + row * slot;
                size_t place = at * size + row * l->stride + block * lanes;
                v16 input = sigmoid(load(gates)), forget = sigmoid(load(gates + lanes));
                v16 change = tangent(load(gates + 2 * lanes)), gate = sigmoid(load(gates + 3 * lanes));
                v16 now = forget * load(t->states + place) + input * change;
                store(gates, input);
                store(gates + lanes, forget);
                store(gates + 2 * lanes, change);
                store(gates + 3 * lanes, gate);
                store(t->states + size + place, now);
                store(t->outputs + size + place, gate * tangent(now));
            }
        }
    }
}

/// [row][stride] += slopes times the transposed weights of `units` inputs; slopes [block][row][64], `block_stride`
/// apart.
static void send_back(
    const float *slopes, size_t block_stride, size_t blocks, size_t last_depth, const float *transposed, size_t depth,
    size_t rows, float *target, size_t stride) {
    for (size_t start = 0; start < stride; start += slot, transposed += depth * slot) {
        size_t width = stride - start < slot ? stride - start : slot;
        for (size_t first = 0, count; first < rows; first += count) {
            float sums[row_group * slot] __attribute__((aligned(64)));
            count = group_of(rows - first);
            memset(sums, 0, count * slot * sizeof(float));
            for (size_t block = 0; block < blocks; block++)
                tile(
                    (int)count, 4, slopes + block * block_stride + first * slot, slot, transposed + block * slot * slot,
                    block + 1 < blocks ? slot : last_depth, sums);
            for (size_t row = 0; row < count; row++)
                for (size_t unit = 0; unit < width; unit += lanes) {
                    float *to = target + (first + row) * stride + start + unit;
                    store(to, load(to) + load(sums + row * slot + unit));
                }
        }
    }
}

/// gradient slots += inputs' transposed times slopes, in parts whose slopes stay in the first-level cache.
static void
gather(const float *inputs, size_t stride, size_t count, const float *slopes, size_t rows, float *gradient) {
    for (size_t start = 0; start < rows; start += 96) {
        size_t depth = rows - start < 96 ? rows - start : 96;
        for (size_t first = 0, group; first < count; first += group) {
            group = group_of(count - first);
            tile_across(
                (int)group, inputs + start * stride + first, stride, slopes + start * slot, depth,
                gradient + first * slot);
        }
    }
}

static void gather_bias(const float *slopes, size_t rows, float *gradient) {
    for (size_t row = 0; row < rows; row++)
        for (size_t place = 0; place < slot; place += lanes)
            store(gradient + place, load(gradient + place) + load(slopes + row * slot + place));
}

/// The slopes of one step of 16 units of a row, from those of its output and of the state behind it.
inlined void cell_back(float *gates, const float *before, const float *now, v16 output, float *state_slope) {
    v16 input = load(gates), forget = load(gates + lanes), change = load(gates + 2 * lanes);
    v16 gate = load(gates + 3 * lanes), bent = tangent(load(now));
    v16 state = load(state_slope) + output * gate * (1.0f - bent * bent);
    store(gates, state * change * input * (1.0f - input));
    store(gates + lanes, state * load(before) * forget * (1.0f - forget));
    store(gates + 2 * lanes, state * input * (1.0f - change * change));
    store(gates + 3 * lanes, output * bent * gate * (1.0f - gate));
    store(state_slope, state * forget);
}

typedef struct {
    float *state;
    float *output;
    float *sums;
} back_scratch;

/// Replaces the gates by slopes. `above` are the slopes of the outputs: of every step, or of the last one alone.
static void walk_back(
    trace *t, size_t steps, size_t rows, const float *above, int is_last_alone, const float *transposed,
    back_scratch s) {
    const layer *l = &t->l;
    size_t all = steps * rows, size = rows * l->stride, depth = l->blocks * slot;
    memset(s.state, 0, size * sizeof(float));
    memset(s.output, 0, size * sizeof(float));
    for (size_t at = steps; at-- > 0;) {
        const float *from = is_last_alone ? (at + 1 == steps ? above : NULL) : above + at * size;
        for (size_t block = 0; block < l->blocks; block++) {
            for (size_t row = 0; row < rows; row++) {
                size_t place = row * l->stride + block * lanes;
                v16 output = load(s.output + place);
                if (from) output += load(from + place);
                cell_back(
                    t->gates + (block * all + at * rows + row) * slot, t->states + at * size + place,
                    t->states + (at + 1) * size + place, output, s.state + place);
            }
        }
        if (!at) break;
        memset(s.output, 0, size * sizeof(float));
        send_back(
            t->gates + at * rows * slot, all * slot, l->blocks, slot, transposed, depth, rows, s.output, l->stride);
    }
}

/// Adds the layer's gradient, and with `below` the slopes of its inputs.
static void collect(
    const trace *t, size_t steps, size_t rows, const float *transposed, float *gradient, float *below, back_scratch s) {
    const layer *l = &t->l;
    size_t all = steps * rows;
    for (size_t block = 0; block < l->blocks; block++) {
        float *target = gradient + block * slots(l) * slot;
        const float *slopes = t->gates + block * all * slot;
        gather(t->outputs, l->stride, l->units, slopes, all, target + l->inputs * slot);
        gather_bias(slopes, all, target + (slots(l) - 1) * slot);
        if (!t->is_constant) {
            gather(t->inputs, t->input_stride, l->inputs, slopes, all, target);
            continue;
        }
        float *sums = s.sums + block * rows * slot;
        memset(sums, 0, rows * slot * sizeof(float));
        for (size_t at = 0; at < steps; at++)
            for (size_t place = 0; place < rows * slot; place += lanes)
                store(sums + place, load(sums + place) + load(slopes + at * rows * slot + place));
        gather(t->inputs, t->input_stride, l->inputs, sums, rows, target);
    }
    if (!below) return;
    size_t count = t->is_constant ? rows : all, depth = l->blocks * slot;
    const float *slopes = t->is_constant ? s.sums : t->gates;
    memset(below, 0, count * t->input_stride * sizeof(float));
    send_back(slopes, count * slot, l->blocks, slot, transposed, depth, count, below, t->input_stride);
}

/// The errors and their slopes, [block][step * row][64], padding zero.
static double compare(
    const trace *last, const layer *l, size_t features, size_t steps, size_t rows, const float *truth, size_t stride,
    float scale, float *slopes) {
    size_t all = steps * rows, size = rows * last->l.stride;
    double squares = 0;
    project(l, last->outputs + size, last->l.stride, all, slopes);
    for (size_t block = 0; block < l->blocks; block++) {
        size_t left = features - block * slot, width = left < slot ? left : slot;
        for (size_t row = 0; row < all; row++) {
            float *here = slopes + (block * all + row) * slot;
            float sum = 0;
            for (size_t place = 0; place < width; place++) {
                float error = here[place] - truth[row * stride + block * slot + place];
                sum += error * error;
                here[place] = error * scale;
            }
            squares += sum;
        }
    }
    return squares;
}

static double gradient_of(
    const tk_lstm *net, const float *packed, const float *transposed, const float *input, size_t rows, float scale,
    float *gradient, float *scratch) {
    size_t steps = net->steps, features = net->features, wide = widest(net), all = steps * rows;
    size_t stride = rounded(features, lanes);
    float *cursor = scratch;
    float *inputs = take(&cursor, all * stride);
    memset(inputs, 0, all * stride * sizeof(float));
    for (size_t at = 0; at < steps; at++)
        for (size_t row = 0; row < rows; row++)
            memcpy(
                inputs + (at * rows + row) * stride, input + (row * steps + at) * features, features * sizeof(float));
    float *slopes[2] = {take(&cursor, all * wide), take(&cursor, all * wide)};
    float *products = take(&cursor, wide * 4 * rows);
    back_scratch s = {take(&cursor, rows * wide), take(&cursor, rows * wide), products};
    trace traces[tk_lstm_most_layers];
    for (int32_t index = 0; index < net->layers; index++) {
        trace *t = traces + index;
        layer l = layer_at(net, index, packed, 1);
        int is_constant = index == net->encoders;
        const float *from = inputs;
        size_t from_stride = stride;
        if (index) {
            const trace *below = t - 1;
            from_stride = below->l.stride;
            from = below->outputs + (is_constant ? steps : 1) * rows * from_stride;
        }
        *t = (trace){l, NULL, NULL, NULL, from, from_stride, is_constant};
        t->gates = take(&cursor, l.blocks * all * slot);
        t->states = take(&cursor, (all + rows) * l.stride);
        t->outputs = take(&cursor, (all + rows) * l.stride);
        remember(t, steps, rows, products);
    }
    layer last = layer_at(net, net->layers, packed, 1);
    const trace *top = traces + net->layers - 1;
    float *errors = take(&cursor, last.blocks * all * slot);
    double squares = compare(top, &last, features, steps, rows, inputs, stride, scale, errors);
    memset(gradient, 0, tk_lstm_count(net) * sizeof(float));
    float *target = gradient + tk_lstm_offset(net, net->layers);
    for (size_t block = 0; block < last.blocks; block++, target += slots(&last) * slot) {
        const float *here = errors + block * all * slot;
        gather(top->outputs + rows * top->l.stride, top->l.stride, last.inputs, here, all, target);
        gather_bias(here, all, target + (slots(&last) - 1) * slot);
    }
    // The transposed copies stand in the order in which they are needed: dense first, then from the last layer down.
    int side = 0;
    memset(slopes[0], 0, all * top->l.stride * sizeof(float));
    send_back(
        errors, all * slot, last.blocks, features - (last.blocks - 1) * slot, transposed, last.blocks * slot, all,
        slopes[0], top->l.stride);
    transposed += rounded(last.inputs, slot) * last.blocks * slot;
    for (int32_t index = net->layers; index-- > 0; side ^= 1) {
        trace *t = traces + index;
        size_t depth = t->l.blocks * slot;
        walk_back(t, steps, rows, slopes[side], index + 1 == net->encoders, transposed, s);
        transposed += rounded(t->l.units, slot) * depth;
        collect(
            t, steps, rows, transposed, gradient + tk_lstm_offset(net, index), index ? slopes[side ^ 1] : NULL, s);
        if (index) transposed += rounded(t->l.inputs, slot) * depth;
    }
    return squares;
}
