/// The messages of `.proto` files: as much of the language (versions 2 and 3) as decoding needs.
struct ProtoSchema {
    enum Scalar: String, Sendable {
        case double, float, int32, int64, uint32, uint64, sint32, sint64, fixed32, fixed64, sfixed32, sfixed64, bool
        case string, bytes
    }

    enum FieldType {
        case scalar(Scalar)
        /// A message or an enumeration, by its name as written.
        case named(String)
        case map(Scalar, value: String)
    }

    struct Field {
        var name: String
        var number: Int
        var type: FieldType
        var isRepeated = false
        /// Its absence is told apart from its default value.
        var hasPresence = false
    }

    struct Message {
        var name: String
        var fields: [Field] = []
        /// Messages declared inside, in order.
        var nested: [Int] = []
    }

    struct Enumeration {
        var words: [Int64: String] = [:]
    }

    private static let mostMessages = 5_000
    private static let deepest = 32

    private(set) var messages: [Message] = []
    private(set) var messageByName: [String: Int] = [:]
    private(set) var enumerations: [String: Enumeration] = [:]
    /// The messages of the file read last that are not inside another, in order.
    private(set) var top: [Int] = []
    private var isVersion3 = false

    init() throws(DecodeFault) {
        try read(Self.wellKnown)
    }

    /// Reads one more file.
    mutating func read(_ text: String) throws(DecodeFault) {
        var tokens = try ProtoTokens(text)
        top = []
        isVersion3 = false
        var package = ""
        while !tokens.isAtEnd {
            switch tokens.peek {
            case ";": _ = try tokens.next()
            case "syntax", "edition":
                let word = try tokens.next()
                try tokens.expect("=")
                let version = try tokens.next()
                isVersion3 = word == "syntax" && version.contains("proto3")
                try tokens.expect(";")
            case "package":
                _ = try tokens.next()
                package = try tokens.next()
                try tokens.expect(";")
            case "message": top.append(try readMessage(&tokens, package, 0))
            case "enum": try readEnumeration(&tokens, package)
            default: try tokens.skipDeclaration()
            }
        }
    }

    private mutating func readMessage(
        _ tokens: inout ProtoTokens, _ scope: String, _ depth: Int
    ) throws(DecodeFault) -> Int {
        guard depth < Self.deepest else { throw .malformed("is nested deeper than \(Self.deepest) levels") }
        guard messages.count < Self.mostMessages else {
            throw .malformed("has more than \(Self.mostMessages) messages")
        }
        try tokens.expect("message")
        let name = scope.isEmpty ? try tokens.next() : "\(scope).\(try tokens.next())"
        let place = messages.count
        messages.append(Message(name: name))
        messageByName[name] = place
        try tokens.expect("{")
        while !tokens.take("}") {
            switch tokens.peek {
            case ";": _ = try tokens.next()
            case "message": messages[place].nested.append(try readMessage(&tokens, name, depth + 1))
            case "enum": try readEnumeration(&tokens, name)
            case "option", "reserved", "extensions", "extend": try tokens.skipDeclaration()
            case "oneof":
                _ = try tokens.next()
                _ = try tokens.next()
                try tokens.expect("{")
                while !tokens.take("}") {
                    if tokens.peek == "option" {
                        try tokens.skipDeclaration()
                    } else if !tokens.take(";") {
                        var field = try readField(&tokens)
                        field.hasPresence = true
                        messages[place].fields.append(field)
                    }
                }
            default: messages[place].fields.append(try readField(&tokens))
            }
        }
        return place
    }

    private func readField(_ tokens: inout ProtoTokens) throws(DecodeFault) -> Field {
        let isRepeated = tokens.take("repeated")
        let isMarked = !isRepeated && (tokens.take("optional") || tokens.take("required"))
        let word = try tokens.next()
        var type = Scalar(rawValue: word).map { FieldType.scalar($0) } ?? .named(word)
        if word == "group" { throw .malformed("has a group, a form that is not supported") }
        if word == "map", tokens.take("<") {
            guard let key = Scalar(rawValue: try tokens.next()) else { throw .malformed("has a map with a wrong key") }
            try tokens.expect(",")
            type = .map(key, value: try tokens.next())
            try tokens.expect(">")
        }
        let name = try tokens.next()
        try tokens.expect("=")
        let text = try tokens.next()
        guard let number = Self.integer(text), number > 0, number < 1 << 29 else {
            throw .malformed("gives the field `\(Text.excerpt(name.utf8.span))` no usable number")
        }
        try tokens.skipOptions()
        try tokens.expect(";")
        return Field(
            name: name, number: Int(number), type: type, isRepeated: isRepeated,
            hasPresence: isMarked || !isVersion3)
    }

    private mutating func readEnumeration(_ tokens: inout ProtoTokens, _ scope: String) throws(DecodeFault) {
        try tokens.expect("enum")
        let name = scope.isEmpty ? try tokens.next() : "\(scope).\(try tokens.next())"
        var enumeration = Enumeration()
        try tokens.expect("{")
        while !tokens.take("}") {
            switch tokens.peek {
            case ";": _ = try tokens.next()
            case "option", "reserved": try tokens.skipDeclaration()
            default:
                let word = try tokens.next()
                try tokens.expect("=")
                let text = try tokens.next()
                guard let number = Self.integer(text) else { throw .malformed("has a word without a number") }
                if enumeration.words[number] == nil { enumeration.words[number] = word }
                try tokens.skipOptions()
                try tokens.expect(";")
            }
        }
        enumerations[name] = enumeration
    }

    private static func integer(_ text: String) -> Int64? {
        if text.hasPrefix("0x") || text.hasPrefix("0X") { return Int64(text.dropFirst(2), radix: 16) }
        if text.hasPrefix("-0x") { return Int64(text.dropFirst(3), radix: 16).map { -$0 } }
        return Int64(text)
    }

    /// What a name means inside a message: looked for from the inside outwards.
    enum Meaning {
        case message(Int)
        case enumeration(Enumeration)
    }

    func resolve(_ name: String, inside scope: String) -> Meaning? {
        if name.hasPrefix(".") { return meaning(String(name.dropFirst())) }
        var scope = Substring(scope)
        while true {
            if let found = meaning(scope.isEmpty ? name : "\(scope).\(name)") { return found }
            if scope.isEmpty { return nil }
            scope = scope.lastIndex(of: ".").map { scope[..<$0] } ?? ""
        }
    }

    private func meaning(_ name: String) -> Meaning? {
        if let message = messageByName[name] { return .message(message) }
        return enumerations[name].map { .enumeration($0) }
    }

    /// Of google/protobuf/timestamp.proto, wrappers.proto, duration.proto.
    private static let wellKnown = """
        syntax = "proto3"; package google.protobuf;
        message Timestamp { int64 seconds = 1; int32 nanos = 2; }
        message Duration { int64 seconds = 1; int32 nanos = 2; }
        message DoubleValue { double value = 1; }
        message FloatValue { float value = 1; }
        message Int64Value { int64 value = 1; }
        message UInt64Value { uint64 value = 1; }
        message Int32Value { int32 value = 1; }
        message UInt32Value { uint32 value = 1; }
        message BoolValue { bool value = 1; }
        message StringValue { string value = 1; }
        """
}
