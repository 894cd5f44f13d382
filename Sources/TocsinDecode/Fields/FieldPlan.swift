/// The built-in names and a mapping, resolved into one list of fields for the decoders.
struct FieldPlan: Sendable {
    struct Field: Sendable {
        /// Names from the message inwards; in CSV the column is named by the first, or by all joined with dots.
        var path: [String]
        var role: FieldRole
        /// Within a role the lowest rank present in a message wins.
        var rank: UInt8 = 0
        /// A value that is no number is an error, not metadata.
        var isRequired = false
        /// The metric's name where it differs from the field's.
        var metric: String?
    }

    /// In order of growing precedence for the same path.
    private(set) var fields: [Field] = []
    /// Objects whose every numeric member is a metric.
    private(set) var metricObjects: [[String]] = []
    /// What an unlisted field of the message is: a metric, or ignored where the mapping lists the values.
    private(set) var otherFields = FieldRole.metric
    var mapping: InputMapping

    init(_ mapping: InputMapping) {
        self.mapping = mapping
        for name in FieldNames.notMetrics { fields.append(Field(path: [name], role: .ignore)) }
        add(FieldNames.eventID, .eventID, unless: mapping.eventID)
        add(FieldNames.sensor, .sensor, unless: mapping.sensor)
        add(FieldNames.time, .time, unless: mapping.time)
        add(FieldNames.unit, .unit, unless: mapping.unit)
        add(FieldNames.zone, .zone, unless: mapping.zone)
        add(FieldNames.label, .label, unless: mapping.labelColumn)
        add(FieldNames.labelKind, .labelKind, unless: nil)
        add(FieldNames.metricName, .metricName, unless: mapping.metric ?? mapping.values.first)
        add(FieldNames.value, .value, unless: mapping.values.first, isRequired: true)
        for object in FieldNames.metadata {
            add(FieldNames.unit, .unit, unless: mapping.unit, inside: object)
            add(FieldNames.zone, .zone, unless: mapping.zone, inside: object)
        }
        for path in mapping.ignore { fields.append(Field(path: Self.split(path), role: .ignore)) }
        addMapped(mapping)
    }

    /// Names that a mapping replaces are still no metrics.
    private mutating func add(
        _ names: [String], _ role: FieldRole, unless mapped: String?, inside object: String? = nil,
        isRequired: Bool = false
    ) {
        for (rank, name) in names.enumerated() {
            let path = object.map { [$0, name] } ?? [name]
            let isReplaced = mapped != nil
            fields.append(
                Field(
                    path: path, role: isReplaced ? .ignore : role,
                    rank: UInt8(clamping: rank + (object == nil ? 0 : 16)),
                    isRequired: isRequired && !isReplaced))
        }
    }

    private mutating func addMapped(_ mapping: InputMapping) {
        let single: [(String?, FieldRole)] = [
            (mapping.eventID, .eventID), (mapping.sensor, .sensor), (mapping.time, .time), (mapping.unit, .unit),
            (mapping.zone, .zone), (mapping.labelColumn, .label), (mapping.metric, .metricName),
        ]
        for case (let path?, let role) in single { fields.append(Field(path: Self.split(path), role: role)) }
        guard !mapping.values.isEmpty else { return }
        otherFields = .ignore
        let isNarrow = mapping.metric != nil && mapping.values.count == 1
        let lastNames = mapping.values.map { Self.split($0).last ?? $0 }
        for (path, last) in zip(mapping.values, lastNames) {
            let names = Self.split(path)
            if last == "*" {
                metricObjects.append(names.dropLast())
                continue
            }
            // Two paths that end alike ("inlet.temp", "outlet.temp") keep their whole name.
            let isUnique = lastNames.count { $0 == last } == 1
            fields.append(
                Field(
                    path: names, role: isNarrow ? .value : .metric, isRequired: true, metric: isUnique ? last : path))
        }
    }

    static func split(_ path: String) -> [String] {
        path.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    }
}

/// A metric's name and unit, out of a field name such as `Temperature[C]`.
///
/// The name stays as it is written, without the brackets: one sensor's "Temperature" and another's "temperature" are
/// different metrics.
struct MetricName: Sendable, Equatable {
    var name: String
    var unit: String?

    init(field: String) {
        guard field.hasSuffix("]"), let open = field.lastIndex(of: "["), open > field.startIndex else {
            name = field
            return
        }
        let bare = Self.trim(field[..<open])
        let inside = Self.trim(field[field.index(after: open)...].dropLast())
        name = bare.isEmpty ? field : bare
        unit = bare.isEmpty || inside.isEmpty ? nil : inside
    }

    private static func trim(_ text: Substring) -> String {
        var text = text
        while text.last == " " { text.removeLast() }
        while text.first == " " { text.removeFirst() }
        return String(text)
    }
}
