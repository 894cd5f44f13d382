internal import TocsinCore

/// One record of a SenML pack, as it stands (RFC 8428, sections 4.1 and 4.2).
struct SenMLRecord {
    var baseName: TextRef?
    var baseTime: Double?
    var baseUnit: TextRef?
    var baseValue: Double?
    var baseSum: Double?
    var baseVersion: Double?
    var name: TextRef?
    var unit: TextRef?
    var time: Double?
    var value: Double?
    var sum: Double?
    var flag: Bool?
    /// A string or data value (`vs`, `vd`): no reading.
    var hasText = false
    /// A field that ends in `_` must be understood, and none is (section 4.4).
    var unknown: TextRef?
}
