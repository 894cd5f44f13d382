/// A column of a chunk as packed bytes: the header of 12 bytes, then every row's distance from `base` in `width` bytes.
///
/// Frame of reference (Goldstein, Ramakrishnan, Shaft, "Compressing Relations and Indexes", ICDE 1998), over decimals
/// where all rows are whole multiples of a power of ten (the idea of ALP: Afroozeh, Kuffo, Boncz, SIGMOD 2023). Nothing
/// is rounded: a row reads back as the same bits. All numbers are big-endian, so that SQL can read them by `hex`.
/// Any row is found in one step.
struct PackedColumn {
    enum Kind: UInt8 {
        case integer = 0
        /// The bits of 64-bit floats.
        case bits = 1
        /// Whole multiples of 10^-exponent.
        case decimal = 2
        /// Not stored: `DerivedStatistic` makes it of other columns, to the bit.
        case derived = 3
        /// Whole multiples of 1 / (count - 1).
        case steps = 4
        /// Nearly decimals, as sums and quantiles of decimals are: a second column of whole numbers says by how many of
        /// the smallest steps of a 64-bit float each differs.
        case corrected = 5
        /// As `derived`, with a column of corrections.
        case nearlyDerived = 6

        var isCorrected: Bool { self == .corrected || self == .nearlyDerived }
        var isDerived: Bool { self == .derived || self == .nearlyDerived }
    }

    static let headerBytes = 12
    /// 10^9 is the finest unit tried: nanometres in metres.
    static let powers: [Double] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]

    let kind: Kind
    let exponent: Int
    let width: Int
    let base: Int64
    /// Where the rows begin in the bytes that were parsed.
    private let start: Int
    private let correction: Correction?

    private struct Correction {
        var width: Int
        var base: Int64
        var start: Int
    }

    /// The column that begins at `position`, which is moved behind it; nil where the bytes are not one of `rows` rows.
    init?(_ bytes: [UInt8], at position: inout Int, rows: Int) {
        guard let head = Self.head(bytes, &position, rows) else { return nil }
        (kind, exponent, width, base) = (head.kind, head.exponent, head.width, head.base)
        start = position - rows * head.width
        guard head.kind.isCorrected else {
            correction = nil
            return
        }
        guard let second = Self.head(bytes, &position, rows), second.kind == .integer else { return nil }
        correction = Correction(width: second.width, base: second.base, start: position - rows * second.width)
    }

    /// Reads a header and steps over the rows behind it.
    private static func head(
        _ bytes: [UInt8], _ position: inout Int, _ rows: Int
    ) -> (kind: Kind, exponent: Int, width: Int, base: Int64)? {
        guard position >= 0, rows >= 0, position <= bytes.count - headerBytes else { return nil }
        guard let kind = Kind(rawValue: bytes[position]) else { return nil }
        let exponent = Int(bytes[position + 1])
        let width = Int(bytes[position + 2])
        guard exponent < powers.count, width <= 8, bytes[position + 3] == 0 else { return nil }
        var base: UInt64 = 0
        for byte in bytes[position + 4..<position + headerBytes] { base = base << 8 | UInt64(byte) }
        let room = bytes.count - position - headerBytes
        guard width == 0 || rows <= room / width else { return nil }
        position += headerBytes + rows * width
        return (kind, exponent, width, Int64(bitPattern: base))
    }

    /// The whole number of a row below the count that was given to `init`.
    func integer(_ row: Int, _ bytes: [UInt8]) -> Int64 { Self.integer(row, bytes, start, width, base) }

    private static func integer(_ row: Int, _ bytes: [UInt8], _ start: Int, _ width: Int, _ base: Int64) -> Int64 {
        var distance: UInt64 = 0
        let first = start + row * width
        for byte in bytes[first..<first + width] { distance = distance << 8 | UInt64(byte) }
        return base &+ Int64(bitPattern: distance)
    }

    /// The number of a row; not-a-number for what is derived.
    /// - Parameter count: readings in that row's window.
    func double(_ row: Int, _ bytes: [UInt8], count: Double) -> Double {
        let whole = integer(row, bytes)
        return switch kind {
        case .integer: Double(whole)
        case .bits: Double(bitPattern: UInt64(bitPattern: whole))
        case .decimal: Double(whole) / Self.powers[exponent]
        case .steps: Double(whole) / (count - 1)
        case .corrected: corrected(Double(whole) / Self.powers[exponent], row, bytes)
        case .derived, .nearlyDerived: .nan
        }
    }

    /// The number that is some smallest steps away from `near`.
    func corrected(_ near: Double, _ row: Int, _ bytes: [UInt8]) -> Double {
        guard let correction else { return near }
        let steps = Self.integer(row, bytes, correction.start, correction.width, correction.base)
        return Double(bitPattern: near.bitPattern &+ UInt64(bitPattern: steps))
    }
}
