internal import TocsinCore

/// Packed columns of stored windows behind a checksum that holds. Input: rows, count of readings, columns.
enum WindowColumns {
    static func run(_ input: [UInt8]) {
        var input = Input(input)
        let rows = Int(input.byte()) + 1
        let count = Double(input.byte())
        let columns = input.all()
        var blob: [UInt8] = [0, 0, 0, 0]
        blob += columns
        let hash = blob.withUnsafeBytes { PackedChecksum.hash($0, from: PackedChecksum.bytes, seed: 7) }
        for byte in 0..<4 { blob[byte] = UInt8(truncatingIfNeeded: hash >> UInt64(24 - 8 * byte)) }
        check(PackedChecksum.holds(blob, seed: 7), "the checksum holds")
        var position = PackedChecksum.bytes
        var parsed: [PackedColumn] = []
        while position < blob.count {
            let before = position
            guard let column = PackedColumn(blob, at: &position, rows: rows) else { break }
            check(position > before && position <= blob.count, "a column has a length")
            parsed.append(column)
        }
        for column in parsed {
            for row in 0..<rows {
                _ = column.integer(row, blob)
                let value = column.double(row, blob, count: count)
                let made = DerivedStatistic.value(.crestFactor) { _ in value }
                _ = column.corrected(made, row, blob)
            }
        }
    }

    /// Each kind of column, one and several rows.
    static var seeds: [[UInt8]] {
        (UInt8(0)...6).flatMap { kind -> [[UInt8]] in
            [UInt8(0), 3].map { rows -> [UInt8] in
                var seed: [UInt8] = [rows, 9]
                for part in 0..<2 {
                    seed += [part == 0 ? kind : 0, 2, 2, 0, 0, 0, 0, 0, 0, 0, 4, 210]
                    for row in 0...rows { seed += [row, 17] }
                }
                return seed
            }
        }
    }
}
