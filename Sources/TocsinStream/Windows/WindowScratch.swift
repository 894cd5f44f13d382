internal import CTocsinKernels

/// The readings of the windows that end at one time, in the clear: buffers that grow and are used again.
struct WindowScratch: Sendable {
    private(set) var count = 0
    /// Nanoseconds relative to the windows' end.
    private(set) var times: [Int64] = []
    private(set) var values: [Double] = []
    private var sorted: [Double] = []
    private var keys: [Int64] = []
    private var shortKeys: [Int32] = []
    /// Most digits of the decoded blocks; `BlockHeader.raw` if one of them is.
    private var digits = 0

    mutating func removeAll(room: Int) {
        count = 0
        digits = 0
        guard times.count < room else { return }
        let missing = max(room, 2 * times.count, 512) - times.count
        times.append(contentsOf: repeatElement(0, count: missing))
        values.append(contentsOf: repeatElement(0, count: missing))
        sorted.append(contentsOf: repeatElement(0, count: missing))
        shortKeys = Array(repeating: 0, count: times.count + 16)
    }

    /// Appends readings of a block, for which there is room, and which are newer than those here.
    mutating func append(_ block: BlockView, _ header: BlockHeader, _ range: Range<Int>, end: Int64, body: tk_body) {
        guard !range.isEmpty else { return }
        precondition(count + range.count <= times.count, "the window's readings fit the buffer")
        var frame = header.frame
        digits = max(digits, header.digits)
        let offset = count
        unsafe times.withUnsafeMutableBufferPointer { times in
            unsafe values.withUnsafeMutableBufferPointer { values in
                guard let times = times.baseAddress, let values = values.baseAddress else { return }
                unsafe tk_frame_decode(
                    &frame, block.words + BlockHeader.words, range.lowerBound, range.count, end, times + offset,
                    values + offset, body)
            }
        }
        count += range.count
    }

    /// Index of the first reading at `offset` nanoseconds from the end, or later.
    func firstIndex(from offset: Int64) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if times[middle] < offset { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The statistics of the readings from `first` on, of which there is at least one.
    mutating func statistics(from first: Int, expectedCount: Double, body: tk_body) -> WindowStatistics {
        let moments = moments(from: first, body: body)
        sort(from: first, body: body)
        let sorted = sorted.span.extracting(0..<count - first)
        return WindowStatistics(
            moments, first: values[first], last: values[count - 1], sorted: sorted, expectedCount: expectedCount)
    }

    private func moments(from first: Int, body: tk_body) -> tk_moments {
        var moments = tk_moments()
        unsafe times.withUnsafeBufferPointer { times in
            unsafe values.withUnsafeBufferPointer { values in
                guard let times = times.baseAddress, let values = values.baseAddress else { return }
                unsafe tk_moments_compute(times + first, values + first, count - first, &moments, body)
            }
        }
        return moments
    }

    private mutating func sort(from first: Int, body: tk_body) {
        if digits != BlockHeader.raw, sortDecimals(from: first, body: body) { return }
        let length = count - first
        if keys.count < length + 8 { keys = Array(repeating: 0, count: times.count + 8) }
        unsafe values.withUnsafeBufferPointer { values in
            unsafe keys.withUnsafeMutableBufferPointer { keys in
                unsafe sorted.withUnsafeMutableBufferPointer { sorted in
                    guard let values = values.baseAddress else { return }
                    unsafe tk_sort_doubles(values + first, length, keys.baseAddress, sorted.baseAddress, body)
                }
            }
        }
    }

    private mutating func sortDecimals(from first: Int, body: tk_body) -> Bool {
        let scale = BlockHeader.scale(digits)
        let length = count - first
        return unsafe values.withUnsafeBufferPointer { values in
            unsafe shortKeys.withUnsafeMutableBufferPointer { keys in
                unsafe sorted.withUnsafeMutableBufferPointer { sorted in
                    guard let values = values.baseAddress else { return false }
                    return unsafe tk_sort_decimals(
                        values + first, length, scale, keys.baseAddress, sorted.baseAddress, body) != 0
                }
            }
        }
    }
}
