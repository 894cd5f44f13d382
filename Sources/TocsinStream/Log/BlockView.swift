/// A block in the pool, for one call.
@safe struct BlockView {
    let words: UnsafeMutablePointer<UInt64>

    @inline(__always)
    init(_ reference: BlockPool.Reference, _ pool: BlockPool) { unsafe words = pool.pointer(reference) }

    @inline(__always)
    var start: Int64 { unsafe Int64(bitPattern: words[0]) }

    @inline(__always)
    var header: BlockHeader { unsafe BlockHeader(words) }

    @inline(__always)
    var count: Int { unsafe Int(words[2] >> 15 & 127) }

    var lastTime: Int64 {
        let header = header
        return time(header.count - 1, header)
    }

    /// Time of reading `index`, which is there.
    @inline(__always)
    func time(_ index: Int, _ header: BlockHeader) -> Int64 {
        let grid = UInt64(index) &* header.step
        var residual: UInt64 = 0
        if header.timeBits > 0 {
            let bits = field(at: index * header.pitch + header.valueBits, width: header.timeBits)
            residual = bits >> 1 ^ (0 &- bits & 1)
        }
        return header.start &+ Int64(bitPattern: grid &+ residual) &* header.unit
    }

    /// Index of the first reading at `time` or later; the count if there is none.
    func firstIndex(from time: Int64) -> Int {
        let header = header
        var low = 0
        var high = header.count
        while low < high {
            let middle = (low + high) / 2
            if self.time(middle, header) < time { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private func field(at bit: Int, width: Int) -> UInt64 {
        let word = BlockHeader.words + bit >> 6
        let shift = UInt64(bit & 63)
        var bits = unsafe words[word] >> shift
        if Int(shift) + width > 64 { unsafe bits |= words[word + 1] << (64 - shift) }
        return width < 64 ? bits & (1 << UInt64(width) - 1) : bits
    }

    /// Appends a reading newer than all others if it fits the block's coding and room.
    @inline(__always)
    func append(_ time: Int64, _ value: Double) -> Bool {
        let header = header
        let bit = header.count &* header.pitch
        guard header.count < BlockHeader.maximumCount,
            bit &+ header.pitch <= (header.capacity &- BlockHeader.words) &* 64
        else { return false }
        var bits = value.bitPattern
        if header.digits != BlockHeader.raw {
            guard let mantissa = BlockHeader.mantissa(value, scale: header.scale) else { return false }
            bits = UInt64(bitPattern: mantissa &- header.base)
            if bits >> UInt64(header.valueBits) != 0 { return false }
        }
        let expected = Int64(bitPattern: UInt64(header.count) &* header.step) &* header.unit
        let offset = time &- header.start &- expected
        var residual: UInt64 = 0
        if offset != 0 {
            let (quotient, remainder) = Self.divide(offset, byUnit: header.unitCode)
            if remainder != 0 { return false }
            residual = UInt64(bitPattern: quotient << 1 ^ quotient >> 63)
            if residual >> UInt64(header.timeBits) != 0 { return false }
        }
        put(bits, at: bit, width: header.valueBits)
        put(residual, at: bit &+ header.valueBits, width: header.timeBits)
        unsafe words[2] &+= BlockHeader.oneReading
        return true
    }

    /// Division by constants: the processor's own takes several times longer.
    @inline(__always)
    static func divide(_ offset: Int64, byUnit code: Int) -> (quotient: Int64, remainder: Int64) {
        switch code {
        case 0: offset.quotientAndRemainder(dividingBy: 1_000_000_000)
        case 1: offset.quotientAndRemainder(dividingBy: 1_000_000)
        case 2: offset.quotientAndRemainder(dividingBy: 1000)
        default: (offset, 0)
        }
    }

    /// Writes a field behind the last one: the bits above it in its word are 0, the words behind it anything.
    @inline(__always)
    func put(_ bits: UInt64, at bit: Int, width: Int) {
        if width == 0 { return }
        let word = BlockHeader.words &+ bit >> 6
        let shift = UInt64(bit & 63)
        if shift == 0 {
            unsafe words[word] = bits
            return
        }
        unsafe words[word] |= bits &<< shift
        if Int(shift) &+ width > 64 { unsafe words[word &+ 1] = bits &>> (64 &- shift) }
    }
}

extension BlockView {
    /// Header and payload.
    var used: UnsafeBufferPointer<UInt64> {
        unsafe UnsafeBufferPointer(start: words, count: header.usedWords)
    }

    /// What `put` relies on, in a block from outside.
    func clearBehindLast() {
        let bits = header.count * header.pitch
        if bits % 64 != 0 { unsafe words[BlockHeader.words + bits / 64] &= 1 << UInt64(bits % 64) - 1 }
    }

    /// Whether every time is greater than the one before it.
    var isAscending: Bool {
        let header = header
        if header.timeBits == 0 { return header.isAscendingGrid }
        var before = start
        if time(0, header) != before { return false }
        for index in 1..<max(header.count, 1) {
            let time = time(index, header)
            if time <= before { return false }
            before = time
        }
        return true
    }
}
