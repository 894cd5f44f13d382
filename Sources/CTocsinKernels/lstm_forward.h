// The forward pass for scoring; included by each body after lstm_body.h.

/// One step of 16 units of a row: sums become the new state and output. Sigmoid times tanh is one division.
inlined void cell(const float *sums, float *state, operand *output) {
    v16 input = exponential(-load(sums));
    v16 forget = sigmoid(load(sums + lanes));
    v16 change = load(sums + 2 * lanes);
    v16 gate = exponential(-load(sums + 3 * lanes));
    change = exponential(change + change);
    v16 now = forget * load(state) + (change - 1.0f) / ((change + 1.0f) * (input + 1.0f));
    store(state, now);
    v16 out = exponential(now + now);
    store_operand(output, (out - 1.0f) / ((out + 1.0f) * (gate + 1.0f)));
}

/// Products of the inputs of `rows` rows with the bias added, [block][row][64].
static void project(const layer *l, const operand *inputs, size_t stride, size_t rows, float *products) {
    for (size_t block = 0; block < l->blocks; block++) {
        const float *panel = l->panels + block * slots(l) * slot;
        const float *bias = panel + (slots(l) - 1) * slot;
        float *target = products + block * rows * slot;
        for (size_t first = 0, count; first < rows; first += count) {
            count = group_of(rows - first);
            for (size_t row = 0; row < count; row++) copy_slots(target + (first + row) * slot, bias, 1);
            tile((int)count, 4, inputs + first * stride, stride, panel, l->input_depth, target + first * slot);
        }
    }
}

/// Where the sums of a step begin.
typedef struct {
    /// Inputs of this step, or null where the products are made already.
    const operand *inputs;
    size_t stride;
    const float *products;
    /// Distance of the products of two blocks.
    size_t block_stride;
} step_source;

static void
step(const layer *l, size_t rows, step_source source, const operand *before, float *state, operand *output) {
    for (size_t block = 0; block < l->blocks; block++) {
        const float *panel = l->panels + block * slots(l) * slot;
        const float *bias = panel + (slots(l) - 1) * slot;
        for (size_t first = 0, count; first < rows; first += count) {
            float sums[row_group * slot] __attribute__((aligned(64)));
            count = group_of(rows - first);
            if (source.inputs) {
                for (size_t row = 0; row < count; row++) copy_slots(sums + row * slot, bias, 1);
                const operand *inputs = source.inputs + first * source.stride;
                tile((int)count, 4, inputs, source.stride, panel, l->input_depth, sums);
            } else {
                const float *products = source.products + block * source.block_stride + first * slot;
                copy_slots(sums, products, count);
            }
            if (before)
                tile(
                    (int)count, 4, before + first * l->stride, l->stride, panel + l->input_depth * slot, l->state_depth,
                    sums);
            for (size_t row = 0; row < count; row++) {
                size_t place = (first + row) * l->stride + block * lanes;
                cell(sums + row * slot, state + place, output + place);
            }
        }
    }
}

/// A step of so few rows that every weight is used once or twice: all sums first, so that the reading of weights never
/// waits for an activation. `sums` are the products of the inputs, [block][row][64], `distance` between blocks.
static void step_of_few(
    const layer *l, size_t rows, float *sums, size_t distance, const operand *before, float *state, operand *output) {
    if (before)
        for (size_t block = 0; block < l->blocks; block++) {
            const float *weights = l->panels + (block * slots(l) + l->input_depth) * slot;
            tile((int)rows, 4, before, l->stride, weights, l->state_depth, sums + block * distance);
        }
    for (size_t block = 0; block < l->blocks; block++)
        for (size_t row = 0; row < rows; row++) {
            size_t place = row * l->stride + block * lanes;
            cell(sums + block * distance + row * slot, state + place, output + place);
        }
}

/// All steps of a layer, [step][row][stride] both; `is_constant`: `inputs` are those of one step, for all.
static void run_layer(
    const layer *l, size_t steps, size_t rows, const operand *inputs, size_t stride, int is_constant, float *state,
    float *products, operand *outputs) {
    memset(state, 0, rows * l->stride * sizeof(float));
    size_t made = is_constant ? rows : rows <= few_rows ? steps * rows : 0;
    if (made) project(l, inputs, stride, made, products);
    for (size_t at = 0; at < steps; at++) {
        operand *now = outputs + at * rows * l->stride;
        const operand *before = at ? now - rows * l->stride : NULL;
        if (made && !is_constant) {
            step_of_few(l, rows, products + at * rows * slot, made * slot, before, state, now);
        } else {
            step_source source = {inputs + at * rows * stride, stride, products, made * slot};
            if (made) source.inputs = NULL;
            step(l, rows, source, before, state, now);
        }
    }
}

static void dense(
    const layer *l, size_t features, size_t steps, size_t rows, const operand *inputs, size_t stride, float *output) {
    for (size_t block = 0; block < l->blocks; block++) {
        const float *panel = l->panels + block * slots(l) * slot;
        const float *bias = panel + (slots(l) - 1) * slot;
        size_t left = features - block * slot;
        size_t width = left < slot ? left : slot;
        for (size_t first = 0, count; first < steps * rows; first += count) {
            float sums[row_group * slot] __attribute__((aligned(64)));
            count = group_of(steps * rows - first);
            for (size_t row = 0; row < count; row++) copy_slots(sums + row * slot, bias, 1);
            tile((int)count, width <= lanes ? 1 : 4, inputs + first * stride, stride, panel, l->input_depth, sums);
            for (size_t row = 0; row < count; row++) {
                size_t at = (first + row) / rows, which = (first + row) % rows;
                float *to = output + (which * steps + at) * features + block * slot;
                for (size_t feature = 0; feature < width; feature++) to[feature] = sums[row * slot + feature];
            }
        }
    }
}

static void forward_chunk(
    const tk_lstm *net, const float *packed, const float *input, size_t rows, float *output, float *scratch) {
    size_t steps = net->steps, features = net->features, wide = widest(net);
    float *cursor = scratch;
    size_t stride = rounded(features, lanes);
    operand *inputs = (operand *)take(&cursor, steps * rows * stride);
    operand *sequences[2];
    for (int side = 0; side < 2; side++) sequences[side] = (operand *)take(&cursor, steps * rows * wide);
    float *state = take(&cursor, rows * wide);
    float *products = cursor;
    for (size_t at = 0; at < steps; at++) {
        for (size_t row = 0; row < rows; row++) {
            const float *from = input + (row * steps + at) * features;
            operand *to = inputs + (at * rows + row) * stride;
            for (size_t first = 0; first < features; first += lanes) {
                float part[lanes] = {0};
                size_t left = features - first;
                memcpy(part, from + first, (left < lanes ? left : lanes) * sizeof(float));
                store_operand(to + first, load(part));
            }
        }
    }
    const operand *here = inputs;
    for (int32_t index = 0; index < net->layers; index++) {
        layer l = layer_at(net, index, packed, pair);
        int is_first_decoder = index == net->encoders;
        if (is_first_decoder) here += (steps - 1) * rows * stride;
        run_layer(&l, steps, rows, here, stride, is_first_decoder, state, products, sequences[index % 2]);
        here = sequences[index % 2];
        stride = l.stride;
    }
    layer last = layer_at(net, net->layers, packed, pair);
    dense(&last, features, steps, rows, here, stride, output);
}

static void
forward(const tk_lstm *net, const float *packed, const float *input, size_t rows, float *output, float *scratch) {
    size_t size = (size_t)net->steps * net->features;
    for (size_t first = 0, count; first < rows; first += count) {
        size_t left = rows - first, chunks = (left + chunk_rows - 1) / chunk_rows;
        count = (left + chunks - 1) / chunks;
        forward_chunk(net, packed, input + first * size, count, output + first * size, scratch);
    }
}
