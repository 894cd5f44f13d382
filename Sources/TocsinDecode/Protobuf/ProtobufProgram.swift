/// A Protobuf schema made ready for decoding: what the fields of each of its messages are for.
struct ProtobufProgram: Sendable {
    enum Form: UInt8, Sendable {
        case scalar, enumeration, message
        /// Seconds and nanoseconds.
        case timestamp
        /// One field, 1, holds the value.
        case wrapper
        case map
    }

    /// Plain data, for it is read once a value.
    struct Field: Sendable {
        var number: Int32
        var form: Form
        var scalar: ProtoSchema.Scalar
        /// Left out where its value is zero: then zero is what it says.
        var isImplied = false
        /// What its value is for; -1: nothing.
        var slot: Int32 = -1
        /// The layout of a message, the words of an enumeration, the path of a map's entries.
        var aside: Int32 = 0
    }

    /// A message at its place inside others.
    struct Layout: Sendable {
        var fields: [Field] = []
    }

    private static let mostLayouts = 20_000
    static let deepest = 32

    private(set) var slots: FieldSlots
    private(set) var layouts: [Layout] = []
    private(set) var prefixes: [[String]] = []
    /// Words of enumerations among the names, by number.
    private(set) var words: [[Int64: Range<Int>]] = []
    private let schema: ProtoSchema
    private let plan: FieldPlan
    private let top: [Int]
    /// By place of a message in the schema: its layout as the outermost one.
    private var roots: [Int: Int] = [:]

    init(_ schema: RegisteredSchema, _ plan: FieldPlan) throws(DecodeFault) {
        var files = try ProtoSchema()
        for reference in schema.references { try files.read(reference.text) }
        try files.read(schema.text)
        guard !files.top.isEmpty else { throw .malformed("declares no message") }
        self.schema = files
        self.plan = plan
        top = files.top
        slots = FieldSlots(plan)
        // All messages of the file: any of them may be the outermost.
        var open = files.top
        while let place = open.popLast() {
            roots[place] = try bind(place, [], [])
            open += files.messages[place].nested
        }
    }

    /// The layout of the message that the indexes in front of the payload name.
    func layout(_ indexes: [Int]) -> Int? {
        var among = top
        var place: Int?
        for index in indexes {
            guard among.indices.contains(index) else { return nil }
            place = among[index]
            among = schema.messages[among[index]].nested
        }
        return place.flatMap { roots[$0] }
    }

    private mutating func bind(_ place: Int, _ path: [String], _ above: [Int]) throws(DecodeFault) -> Int {
        guard layouts.count < Self.mostLayouts else { throw .malformed("has more than \(Self.mostLayouts) messages") }
        let layout = layouts.count
        layouts.append(Layout())
        let message = schema.messages[place]
        for field in message.fields where !field.isRepeated {
            let inner = path + [field.name]
            guard var bound = try self.field(field, inner, inside: message.name, above + [place]) else { continue }
            switch bound.form {
            case .message, .map: break
            case .timestamp:
                guard FieldSlots.field(inner, plan).role == .time else { continue }
                bound.slot = slots.add(inner).map { Int32(truncatingIfNeeded: $0) } ?? -1
            default: bound.slot = slots.add(inner).map { Int32(truncatingIfNeeded: $0) } ?? -1
            }
            if bound.form == .scalar, !field.hasPresence, bound.scalar != .string, bound.slot >= 0 {
                let role = slots.slots[Int(bound.slot)].role
                bound.isImplied = role == .metric || role == .value
            }
            layouts[layout].fields.append(bound)
        }
        return layout
    }

    /// A field but for its slot; nil for one of no interest.
    private mutating func field(
        _ field: ProtoSchema.Field, _ path: [String], inside scope: String, _ above: [Int]
    ) throws(DecodeFault) -> Field? {
        func made(_ form: Form, _ scalar: ProtoSchema.Scalar, _ aside: Int = 0) -> Field {
            Field(
                number: Int32(truncatingIfNeeded: field.number), form: form, scalar: scalar,
                aside: Int32(truncatingIfNeeded: aside))
        }
        switch field.type {
        case .scalar(let scalar): return scalar == .bytes ? nil : made(.scalar, scalar)
        case .map(_, let value):
            guard let scalar = ProtoSchema.Scalar(rawValue: value), scalar != .bytes else { return nil }
            prefixes.append(path)
            return made(.map, scalar, prefixes.count - 1)
        case .named(let name):
            switch schema.resolve(name, inside: scope) {
            case nil: throw .malformed("names the unknown type `\(Text.excerpt(name.utf8.span))`")
            case .enumeration(let known):
                guard FieldSlots.field(path, plan).role != .metric else { return nil }
                words.append(known.words.mapValues { slots.keep($0) })
                return made(.enumeration, .int32, words.count - 1)
            case .message(let place):
                let message = schema.messages[place]
                if message.name == "google.protobuf.Timestamp" { return made(.timestamp, .int64) }
                if message.name.hasPrefix("google.protobuf."), message.name.hasSuffix("Value"),
                    case .scalar(let scalar)? = message.fields.first?.type
                {
                    return made(.wrapper, scalar)
                }
                // A message inside itself is passed over: its paths would have no end.
                guard !above.contains(place), above.count < Self.deepest else { return nil }
                return made(.message, .bytes, try bind(place, path, above))
            }
        }
    }
}
