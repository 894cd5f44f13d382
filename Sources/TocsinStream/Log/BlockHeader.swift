internal import CTocsinKernels

/// How the readings of one block are coded: frame of reference for values, residuals of a regular grid for times
/// (Goldstein, Ramakrishnan & Shaft, "Compressing Relations and Indexes", ICDE 1998), both lossless.
///
/// - A value is a whole number of `valueBits` bits above `base`, to be divided by 10 to the power `digits`; values that
///   are no such decimals make the whole block `raw`: the bits of the doubles.
/// - Reading `i` lies at `start + i * step` plus a residual of `timeBits` bits, both counted in `unit`, the greatest of
///   s, ms, µs, ns in which all distances from `start` are whole.
///
/// Packed into three words; the payload follows, each reading's value and residual side by side (see `tk_frame`).
struct BlockHeader: Equatable {
    static let words = 3
    /// Most readings of a block.
    static let maximumCount = 64
    /// Value of `digits` for doubles as they are.
    static let raw = 15
    static let maximumDigits = 7
    /// Decimals have fewer than 2^45 units, bases lie within 2^47.
    static let mantissaLimit = 0x1p45
    static let maximumStep: UInt64 = 1 << 42 - 1
    /// Words of the largest block, with the part more that the pool may give.
    static let maximumCapacity = (words + maximumCount * 2) * 5 / 4

    var start: Int64 = 0
    var step: UInt64 = 0
    /// 0 = s, 1 = ms, 2 = µs, 3 = ns.
    var unitCode = 0
    var base: Int64 = 0
    var digits = 0
    var valueBits = 0
    var timeBits = 0
    var count = 0
    /// Greatest value less least, in units of the last digit; known to the one who fitted, not stored.
    var valueRange: Int64 = 0
    /// Words of the block, these three included.
    var capacity = 0

    /// Bits of one reading.
    var pitch: Int { valueBits + timeBits }
    var usedWords: Int { Self.words(count: count, pitch: pitch) }
    var unit: Int64 { Self.unit(unitCode) }
    var scale: Double { Self.scale(digits) }

    static func words(count: Int, pitch: Int) -> Int { words + (count * pitch + 63) / 64 }

    @inline(__always)
    static func unit(_ code: Int) -> Int64 {
        switch code {
        case 0: 1_000_000_000
        case 1: 1_000_000
        case 2: 1000
        default: 1
        }
    }

    /// 10 to the power `digits`.
    @inline(__always)
    static func scale(_ digits: Int) -> Double {
        switch digits {
        case 0: 1
        case 1: 10
        case 2: 100
        case 3: 1000
        case 4: 1e4
        case 5: 1e5
        case 6: 1e6
        default: 1e7
        }
    }

    /// The whole number `m` with `m / scale` bit for bit equal to `value`; nil if there is none below 2^45.
    @inline(__always)
    static func mantissa(_ value: Double, scale: Double) -> Int64? {
        let scaled = value * scale
        guard scaled.magnitude < mantissaLimit else { return nil }
        // Not `rounded`: a call on processors of the first generation, for which we compile.
        let mantissa = Int64(scaled + (scaled < 0 ? -0.5 : 0.5))
        return (Double(mantissa) / scale).bitPattern == value.bitPattern ? mantissa : nil
    }

    var frame: tk_frame {
        tk_frame(
            start: start, step: Int64(bitPattern: step &* UInt64(bitPattern: unit)), unit: unit, base: base,
            scale: digits == Self.raw ? 0 : scale, value_bits: UInt32(valueBits), time_bits: UInt32(timeBits))
    }
}

extension BlockHeader {
    @inline(__always)
    init(_ block: UnsafeMutablePointer<UInt64>) {
        self.init()
        unsafe unpack(block[0], block[1], block[2])
    }

    @inline(__always)
    mutating func unpack(_ start: UInt64, _ first: UInt64, _ second: UInt64) {
        self.start = Int64(bitPattern: start)
        base = Int64(bitPattern: first) >> 16
        digits = Int(first >> 12 & 15)
        unitCode = Int(first >> 10 & 3)
        valueBits = Int(first & 127)
        step = second >> 22
        count = Int(second >> 15 & 127)
        timeBits = Int(second >> 8 & 127)
        capacity = Int(second & 255)
    }

    /// Adding this to the second packed word counts one reading more.
    static let oneReading: UInt64 = 1 << 15

    func write(to block: UnsafeMutablePointer<UInt64>) {
        unsafe block[0] = UInt64(bitPattern: start)
        unsafe block[1] =
            UInt64(bitPattern: base << 16) | UInt64(digits) << 12 | UInt64(unitCode) << 10 | UInt64(valueBits)
        unsafe block[2] = step << 22 | UInt64(count) << 15 | UInt64(timeBits) << 8 | UInt64(capacity)
    }

    /// Whether a block from outside can be worked with, its times apart.
    var isPossible: Bool {
        let bits = digits == Self.raw ? valueBits == 64 && base == 0 : digits <= Self.maximumDigits && valueBits <= 48
        return bits && timeBits <= 64 && (1...Self.maximumCount).contains(count) && capacity >= usedWords
            && capacity <= Self.maximumCapacity
    }

    /// Whether times without residuals ascend and stay within `Int64`.
    var isAscendingGrid: Bool {
        let (step, stepOverflows) = Int64(bitPattern: step).multipliedReportingOverflow(by: unit)
        let (length, lengthOverflows) = step.multipliedReportingOverflow(by: Int64(count - 1))
        let (_, endOverflows) = start.addingReportingOverflow(length)
        return count == 1 || step > 0 && !stepOverflows && !lengthOverflows && !endOverflows
    }
}
