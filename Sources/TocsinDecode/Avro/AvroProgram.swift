/// An Avro schema made ready for decoding: which of its fields are of interest, and how the others are passed over.
struct AvroProgram: Sendable {
    /// A type at its place in the message: plain data, for it is read once a value.
    struct Step: Sendable {
        let type: Int32
        let kind: AvroType.Kind
        let logical: AvroType.Logical
        let size: Int32
        let scale: Int32
        /// What its value is for; -1: nothing.
        var slot: Int32 = -1
        /// Steps of fields or branches, in `children`.
        var firstChild: Int32 = 0
        var childCount: Int32 = 0
        /// Of a map: the path of its entries. Of an enumeration: its words.
        var aside: Int32 = 0
        /// False: passed over.
        var isOfInterest = false

        init(_ place: Int, _ type: AvroType) {
            self.type = Int32(truncatingIfNeeded: place)
            kind = type.kind
            logical = type.logical
            size = Int32(truncatingIfNeeded: type.size)
            scale = Int32(truncatingIfNeeded: type.scale)
        }
    }

    static let mostSteps = 20_000
    static let deepest = 64

    private(set) var slots: FieldSlots
    let types: [AvroType]
    private(set) var steps: [Step] = []
    private(set) var children: [Int32] = []
    private(set) var prefixes: [[String]] = []
    /// Words of enumerations, among the names.
    private(set) var words: [[Range<Int>]] = []
    private var root = 0
    private let plan: FieldPlan

    init(_ schema: RegisteredSchema, _ plan: FieldPlan) throws(DecodeFault) {
        var reader = AvroSchemaReader()
        for reference in schema.references { _ = try reader.read(reference.text) }
        let type = try reader.read(schema.text)
        types = reader.types
        slots = FieldSlots(plan)
        self.plan = plan
        root = try bind(type, [], [])
    }

    var start: Int { root }

    /// The steps of a type at a path. A record inside itself is passed over: its paths would have no end.
    private mutating func bind(_ place: Int, _ path: [String], _ above: [Int]) throws(DecodeFault) -> Int {
        guard steps.count < Self.mostSteps else { throw .malformed("has more than \(Self.mostSteps) fields") }
        let type = types[place]
        let step = steps.count
        steps.append(Step(place, type))
        guard !above.contains(place), above.count < Self.deepest else { return step }
        switch type.kind {
        case .record, .union:
            var inside: [Int] = []
            for (position, child) in type.children.enumerated() {
                let inner = type.kind == .record ? path + [name(ofField: position, of: type, path)] : path
                inside.append(try bind(child, inner, above + [place]))
            }
            steps[step].isOfInterest = inside.contains { steps[$0].isOfInterest }
            steps[step].firstChild = Int32(truncatingIfNeeded: children.count)
            steps[step].childCount = Int32(truncatingIfNeeded: inside.count)
            children += inside.map { Int32(truncatingIfNeeded: $0) }
        case .map:
            let inside = types[type.children[0]].kind
            steps[step].aside = Int32(truncatingIfNeeded: prefixes.count)
            prefixes.append(path)
            steps[step].isOfInterest = !path.isEmpty && inside != .record && inside != .array && inside != .map
        case .array: break
        default: bindScalar(type, step, path)
        }
        return step
    }

    /// What a field is known by. One that was renamed is still found under the names that it had, and stays the metric that
    /// it was: an alias is the writer's word that both are the same.
    private func name(ofField position: Int, of type: AvroType, _ path: [String]) -> String {
        let aliases = type.aliases[position]
        guard let first = aliases.first else { return type.names[position] }
        let names = [type.names[position]] + aliases
        return names.first { plan.hasField(at: path + [$0], isOfUse: true) }
            ?? names.first { plan.hasField(at: path + [$0], isOfUse: false) } ?? first
    }

    private mutating func bindScalar(_ type: AvroType, _ step: Int, _ path: [String]) {
        guard !path.isEmpty, type.kind != .null else { return }
        let role = FieldSlots.field(path, plan).role
        switch type.logical {
        case .none: if type.kind == .bytes || type.kind == .fixed { return }
        case .decimal: break
        // Times are no measurements.
        case .date, .timestampMillis, .timestampMicros, .timestampNanos: if role != .time { return }
        case .other: return
        }
        guard let slot = slots.add(path) else { return }
        if type.kind == .enumeration {
            steps[step].aside = Int32(truncatingIfNeeded: words.count)
            words.append(type.names.map { slots.keep($0) })
        }
        steps[step].slot = Int32(truncatingIfNeeded: slot)
        steps[step].isOfInterest = true
    }
}

extension FieldPlan {
    /// Whether a field of this path, or one inside it, is listed by the built-in names or the mapping.
    /// - Parameter isOfUse: not only as one to be passed over.
    fileprivate func hasField(at path: [String], isOfUse: Bool) -> Bool {
        let wanted = path.map { $0.lowercased() }
        func begins(_ known: [String]) -> Bool {
            known.count >= wanted.count && known.prefix(wanted.count).elementsEqual(wanted) { $0.lowercased() == $1 }
        }
        return fields.contains { ($0.role != .ignore || !isOfUse) && begins($0.path) }
            || metricObjects.contains(where: begins)
    }
}
