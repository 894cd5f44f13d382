/// Reads Avro schemas (Apache Avro 1.12 specification, "Schema Declaration").
struct AvroSchemaReader {
    private static let mostTypes = 10_000
    private static let deepest = 64

    private(set) var types: [AvroType] = []
    private var named: [String: Int] = [:]
    private var tree = JSONTree()

    /// Reads one more schema, and returns its type; earlier ones may be named in it.
    mutating func read(_ text: String) throws(DecodeFault) -> Int {
        var bytes = Array(text.utf8)
        // The name of a primitive type may stand there without quotes.
        if let first = bytes.first(where: { !Text.isBlank($0) && $0 != UInt8(ascii: "\n") }),
            UInt8(ascii: "a")...UInt8(ascii: "z") ~= first
        {
            bytes = Array("\"\(text)\"".utf8)
        }
        try tree.parse(bytes.span, 0..<bytes.count)
        return try read(0, "", 0, bytes.span)
    }

    private mutating func add(_ type: AvroType) throws(DecodeFault) -> Int {
        guard types.count < Self.mostTypes else { throw .malformed("has more than \(Self.mostTypes) types") }
        types.append(type)
        return types.count - 1
    }

    private mutating func read(
        _ node: Int, _ space: String, _ depth: Int, _ bytes: Span<UInt8>
    ) throws(DecodeFault) -> Int {
        guard depth < Self.deepest else { throw .malformed("is nested deeper than \(Self.deepest) levels") }
        switch tree.nodes[node].kind {
        case .string: return try type(named: tree.string(node, bytes) ?? "", space)
        case .array:
            var type = AvroType(kind: .union)
            for child in tree.children(of: node) { type.children.append(try read(child, space, depth + 1, bytes)) }
            return try add(type)
        case .object: return try readObject(node, space, depth, bytes)
        default: throw .malformed("has a type that is no name, no object and no union")
        }
    }

    private mutating func type(named name: String, _ space: String) throws(DecodeFault) -> Int {
        if let kind = Self.primitive(name) { return try add(AvroType(kind: kind)) }
        let full = name.contains(".") || space.isEmpty ? name : "\(space).\(name)"
        if let known = named[full] ?? named[name] { return known }
        throw .malformed("names the unknown type `\(Text.excerpt(name.utf8.span))`")
    }

    private static func primitive(_ name: String) -> AvroType.Kind? {
        switch name {
        case "null": .null
        case "boolean": .boolean
        case "int": .int
        case "long": .long
        case "float": .float
        case "double": .double
        case "bytes": .bytes
        case "string": .string
        default: nil
        }
    }

    private mutating func readObject(
        _ node: Int, _ space: String, _ depth: Int, _ bytes: Span<UInt8>
    ) throws(DecodeFault) -> Int {
        guard let member = tree.member("type", of: node, bytes) else {
            throw .malformed("has an object without `type`")
        }
        guard let word = tree.string(member, bytes) else { return try read(member, space, depth + 1, bytes) }
        switch word {
        case "record", "error": return try readRecord(node, space, depth, bytes)
        case "enum":
            var type = AvroType(kind: .enumeration)
            guard let symbols = tree.member("symbols", of: node, bytes) else {
                throw .malformed("has an enumeration without `symbols`")
            }
            for child in tree.children(of: symbols) { type.names.append(tree.string(child, bytes) ?? "") }
            return try addNamed(type, node, space, bytes).place
        case "fixed":
            var type = AvroType(kind: .fixed)
            guard let size = tree.member("size", of: node, bytes).flatMap({ tree.integer($0, bytes) }),
                size <= 1 << 20
            else { throw .malformed("has a fixed type without a usable `size`") }
            type.size = Int(size)
            try readLogical(node, &type, bytes)
            return try addNamed(type, node, space, bytes).place
        case "array", "map":
            guard let items = tree.member(word == "array" ? "items" : "values", of: node, bytes) else {
                throw .malformed("has an array without `items` or a map without `values`")
            }
            let inside = try read(items, space, depth + 1, bytes)
            var type = AvroType(kind: word == "array" ? .array : .map)
            type.children = [inside]
            return try add(type)
        default:
            guard let kind = Self.primitive(word) else { return try type(named: word, space) }
            var type = AvroType(kind: kind)
            try readLogical(node, &type, bytes)
            return try add(type)
        }
    }

    private mutating func readRecord(
        _ node: Int, _ space: String, _ depth: Int, _ bytes: Span<UInt8>
    ) throws(DecodeFault) -> Int {
        // Known before its fields are read: they may name it.
        let (place, inner) = try addNamed(AvroType(kind: .record), node, space, bytes)
        guard let fields = tree.member("fields", of: node, bytes) else {
            throw .malformed("has a record without `fields`")
        }
        for field in tree.children(of: fields) {
            guard let name = tree.member("name", of: field, bytes).flatMap({ tree.string($0, bytes) }),
                let member = tree.member("type", of: field, bytes)
            else { throw .malformed("has a field without a name or a type") }
            let type = try read(member, inner, depth + 1, bytes)
            let aliases = tree.member("aliases", of: field, bytes).map { tree.children(of: $0) } ?? []
            types[place].names.append(name)
            types[place].aliases.append(aliases.compactMap { tree.string($0, bytes) }.filter { !$0.isEmpty })
            types[place].children.append(type)
        }
        return place
    }

    private mutating func addNamed(
        _ type: AvroType, _ node: Int, _ space: String, _ bytes: Span<UInt8>
    ) throws(DecodeFault) -> (place: Int, space: String) {
        guard let name = tree.member("name", of: node, bytes).flatMap({ tree.string($0, bytes) }) else {
            throw .malformed("has a named type without a name")
        }
        var inner = space
        var full = name
        if let dot = name.lastIndex(of: ".") {
            inner = String(name[..<dot])
        } else {
            if let own = tree.member("namespace", of: node, bytes).flatMap({ tree.string($0, bytes) }) { inner = own }
            if !inner.isEmpty { full = "\(inner).\(name)" }
        }
        let place = try add(type)
        named[full] = place
        return (place, inner)
    }

    private func readLogical(_ node: Int, _ type: inout AvroType, _ bytes: Span<UInt8>) throws(DecodeFault) {
        guard let word = tree.member("logicalType", of: node, bytes).flatMap({ tree.string($0, bytes) }) else { return }
        switch (word, type.kind) {
        case ("date", .int): type.logical = .date
        case ("timestamp-millis", .long), ("local-timestamp-millis", .long): type.logical = .timestampMillis
        case ("timestamp-micros", .long), ("local-timestamp-micros", .long): type.logical = .timestampMicros
        case ("timestamp-nanos", .long), ("local-timestamp-nanos", .long): type.logical = .timestampNanos
        case ("decimal", .bytes), ("decimal", .fixed):
            let scale = tree.member("scale", of: node, bytes).flatMap { tree.integer($0, bytes) } ?? 0
            guard scale <= 300 else { throw .malformed("has a decimal with the scale \(scale)") }
            type.logical = .decimal
            type.scale = Int(scale)
        case ("time-millis", .int), ("time-micros", .long), ("duration", .fixed): type.logical = .other
        // An unknown logical type is that of the bytes below it.
        default: break
        }
    }
}
