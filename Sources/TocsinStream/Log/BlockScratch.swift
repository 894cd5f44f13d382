internal import CTocsinKernels

/// The readings of one block in the clear, and how to code them: the slow half of the log's work.
struct BlockScratch: Sendable {
    private(set) var count = 0
    private var times = [Int64](repeating: 0, count: BlockHeader.maximumCount + 1)
    private var values = [Double](repeating: 0, count: BlockHeader.maximumCount + 1)
    /// From the first time of the range fitted, in the unit found.
    private var distances = [UInt64](repeating: 0, count: BlockHeader.maximumCount + 1)
    private var mantissas = [Int64](repeating: 0, count: BlockHeader.maximumCount + 1)

    func time(_ index: Int) -> Int64 { times[index] }

    mutating func removeAll() { count = 0 }

    mutating func load(_ block: BlockView, body: tk_body) {
        let header = block.header
        var frame = header.frame
        count = header.count
        unsafe times.withUnsafeMutableBufferPointer { times in
            unsafe values.withUnsafeMutableBufferPointer { values in
                unsafe tk_frame_decode(
                    &frame, block.words + BlockHeader.words, 0, header.count, 0, times.baseAddress, values.baseAddress,
                    body)
            }
        }
    }

    /// Inserts a reading in order of time. There is room for one beyond a block's most.
    mutating func insert(_ time: Int64, _ value: Double) {
        var place = count
        while place > 0, times[place - 1] > time {
            times[place] = times[place - 1]
            values[place] = values[place - 1]
            place -= 1
        }
        times[place] = time
        values[place] = value
        count += 1
    }

    /// The tightest coding of the readings `range`, of which there is at least one.
    /// - Parameters:
    ///   - old: how they were coded: its step is tried too, and so is nothing but doubles if it is raw.
    ///   - slack: leave room for readings to come: values a quarter beyond the present range, residuals twice as
    ///     large, no fewer digits than now.
    mutating func fit(_ range: Range<Int>, like old: BlockHeader, slack: Bool) -> BlockHeader {
        var header = BlockHeader()
        header.count = range.count
        fitTimes(range, old, &header)
        fitValues(range, digits: slack || old.digits == BlockHeader.raw ? old.digits : 0, &header)
        if slack { header.widen() }
        return header
    }

    private mutating func fitTimes(_ range: Range<Int>, _ old: BlockHeader, _ header: inout BlockHeader) {
        let start = times[range.lowerBound]
        header.start = start
        if liesOnGrid(range, old) {
            (header.unitCode, header.step) = (old.unitCode, old.step)
            return
        }
        // Unsigned: from one end of time to the other the distance takes 64 bits.
        for index in range {
            let distance = UInt64(bitPattern: times[index] &- start)
            while distance % UInt64(header.unit) != 0 { header.unitCode += 1 }
        }
        guard range.count > 1 else { return }
        let unit = UInt64(header.unit)
        for index in range { distances[index - range.lowerBound] = UInt64(bitPattern: times[index] &- start) / unit }
        let last = range.count - 1
        var steps = InlineArray<3, UInt64>(repeating: distances[last] / UInt64(last))
        steps[1] = distances[last] - distances[last - 1]
        if old.unitCode <= header.unitCode { steps[2] = old.step &* UInt64(old.unit / header.unit) }
        header.timeBits = 65
        for candidate in steps.indices {
            let step = min(steps[candidate], BlockHeader.maximumStep)
            let bits = residualBits(range.count, step: step)
            if bits < header.timeBits { (header.step, header.timeBits) = (step, bits) }
        }
    }

    /// Whether the times keep the step of a coding without any residual.
    private func liesOnGrid(_ range: Range<Int>, _ header: BlockHeader) -> Bool {
        let step = Int64(bitPattern: header.step &* UInt64(header.unit))
        guard step > 0 else { return false }
        var expected = times[range.lowerBound]
        var isOnGrid = true
        for index in range {
            isOnGrid = isOnGrid && times[index] == expected
            expected &+= step
        }
        return isOnGrid
    }

    private func residual(_ index: Int, step: UInt64) -> UInt64 {
        let residual = Int64(bitPattern: distances[index] &- UInt64(index) &* step)
        return UInt64(bitPattern: residual << 1 ^ residual >> 63)
    }

    private func residualBits(_ count: Int, step: UInt64) -> Int {
        var all: UInt64 = 0
        for index in 0..<count { all |= residual(index, step: step) }
        return UInt64.bitWidth - all.leadingZeroBitCount
    }

    private mutating func fitValues(_ range: Range<Int>, digits: Int, _ header: inout BlockHeader) {
        header.digits = digits
        while header.digits <= BlockHeader.maximumDigits, !takeMantissas(range, scale: header.scale) {
            header.digits += 1
        }
        guard header.digits <= BlockHeader.maximumDigits else {
            header.digits = BlockHeader.raw
            header.valueBits = 64
            return
        }
        var least = mantissas[range.lowerBound]
        var greatest = least
        for index in range {
            least = min(least, mantissas[index])
            greatest = max(greatest, mantissas[index])
        }
        header.base = least
        header.valueBits = Int64.bitWidth - (greatest - least).leadingZeroBitCount
        header.valueRange = greatest - least
    }

    private mutating func takeMantissas(_ range: Range<Int>, scale: Double) -> Bool {
        for index in range {
            guard let mantissa = BlockHeader.mantissa(values[index], scale: scale) else { return false }
            mantissas[index] = mantissa
        }
        return true
    }

    /// Writes the readings `range`, for which `header` was fitted last.
    func write(_ range: Range<Int>, _ header: BlockHeader, to block: BlockView) {
        unsafe header.write(to: block.words)
        var bit = 0
        for index in range {
            let bits =
                header.digits == BlockHeader.raw
                ? values[index].bitPattern : UInt64(bitPattern: mantissas[index] &- header.base)
            block.put(bits, at: bit, width: header.valueBits)
            if header.timeBits > 0 {
                let residual = residual(index - range.lowerBound, step: header.step)
                block.put(residual, at: bit + header.valueBits, width: header.timeBits)
            }
            bit += header.pitch
        }
    }
}

extension BlockHeader {
    /// Room for readings like these, but not quite.
    mutating func widen() {
        if timeBits > 0 { timeBits = min(timeBits + 1, 64) }
        guard digits != Self.raw, valueRange > 0 else { return }
        let wanted = valueRange + valueRange / 4 + 1
        valueBits = min(Int64.bitWidth - wanted.leadingZeroBitCount, 48)
        base -= ((1 << valueBits) - 1 - valueRange) / 2
    }
}
