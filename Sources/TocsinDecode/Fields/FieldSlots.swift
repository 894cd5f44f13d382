/// The fields of a schema with what they are for: the plan of the mapping, resolved once for each schema.
struct FieldSlots: Sendable {
    struct Slot: Sendable {
        var role: FieldRole
        var rank: UInt8
        var isRequired: Bool
        /// In `names`; empty for the one value of a message.
        var metric: Range<Int>
        var unit: Range<Int>
    }

    private let plan: FieldPlan
    private(set) var slots: [Slot] = []
    /// Texts that the slots, or the words of enumerations, stand in.
    private(set) var names: [UInt8] = []

    init(_ plan: FieldPlan) { self.plan = plan }

    /// A new slot for a field, nil where it is of no interest.
    mutating func add(_ path: [String]) -> Int? {
        let field = Self.field(path, plan)
        guard field.role != .ignore else { return nil }
        let name = MetricName(field: field.metric ?? Self.metricName(path, plan))
        let slot = Slot(
            role: field.role, rank: field.rank, isRequired: field.isRequired,
            metric: field.role == .value ? 0..<0 : keep(name.name), unit: name.unit.map { keep($0) } ?? 0..<0)
        slots.append(slot)
        return slots.count - 1
    }

    mutating func keep(_ text: String) -> Range<Int> {
        let start = names.count
        names.append(contentsOf: text.utf8)
        return start..<names.count
    }

    /// Members of objects whose members are all metrics have their own names, others their whole path.
    private static func metricName(_ path: [String], _ plan: FieldPlan) -> String {
        let object = path.dropLast().map { $0.lowercased() }
        let isListed = plan.metricObjects.contains { $0.map { $0.lowercased() } == object }
        return isListed ? path.last ?? "" : path.joined(separator: ".")
    }

    /// The last of the plan's fields of this path; else a metric, but not inside metadata.
    static func field(_ path: [String], _ plan: FieldPlan) -> FieldPlan.Field {
        let whole = path.joined(separator: ".").lowercased()
        let bare = MetricName(field: whole).name
        for field in plan.fields.reversed() {
            let known = field.path.joined(separator: ".").lowercased()
            if known == whole || known == bare { return field }
        }
        let object = path.dropLast().map { $0.lowercased() }
        if plan.metricObjects.contains(where: { $0.map { $0.lowercased() } == object }) {
            return FieldPlan.Field(path: path, role: .metric)
        }
        if let first = object.first, FieldNames.metadata.contains(first) {
            return FieldPlan.Field(path: path, role: .ignore)
        }
        return FieldPlan.Field(path: path, role: plan.otherFields)
    }
}
