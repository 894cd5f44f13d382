/// A type of an Avro schema; those inside are named by their place in the list, so that records may hold themselves.
struct AvroType {
    enum Kind: UInt8 {
        case null, boolean, int, long, float, double, bytes, string, fixed, enumeration, record, array, map, union
    }

    enum Logical: UInt8 {
        case none, date, timestampMillis, timestampMicros, timestampNanos, decimal
        /// Known and no reading: times of day, identifiers, durations.
        case other
    }

    var kind: Kind
    var logical = Logical.none
    /// Fields, branches, or the one type of items.
    var children: [Int] = []
    /// Of a record's fields; of an enumeration's words.
    var names: [String] = []
    /// By field of a record: the names that it had before.
    var aliases: [[String]] = []
    var size = 0
    var scale = 0
}
