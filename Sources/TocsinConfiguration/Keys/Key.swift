/// What the reference, the listing and the checks know of a key, whatever its type.
public struct KeyEntry: Sendable {
    public enum Shape: Sendable {
        case scalar
        /// Several values; given anew by a higher layer it is replaced as a whole.
        case list
        /// Named values; layers are merged name by name.
        case map
    }

    /// Dotted, with `[]` after a list of groups: `server.port`, `sources[].kind`.
    public let name: String
    public let shape: Shape
    public let type: String
    public let unit: String?
    /// Completes "expected …".
    public let accepted: String
    /// For a table: `0 to 65535`; nil where the type says it all.
    public let bounds: String?
    public let defaultText: String
    /// Whether `defaultText` can be written as it stands, or only describes the default.
    public let isDefaultLiteral: Bool
    public let summary: String
    /// Further environment variables that are read where the derived one is not set.
    public let aliases: [String]
    /// Masked wherever it is shown.
    public let isSecret: Bool
    /// Whether it can come from the file that `<NAME>_FILE` names: secrets, and what stands in one secret with them.
    public var canComeFromFile: Bool { isSecret || name.hasPrefix("store.postgres.") }
    public let isRequired: Bool

    /// The environment variable, with index 0 for keys inside lists: `SERVER_PORT`, `SOURCES_0_KIND`.
    public var environmentName: String {
        EnvironmentName.of(name.replacing("[]", with: ".0"))
    }
}

/// A key of one value (or one list) with its type, default and form.
struct Key<Value: Sendable>: Sendable {
    let entry: KeyEntry
    let fallback: Value
    let form: ValueForm<Value>

    init(
        _ name: String, _ form: ValueForm<Value>, default fallback: Value, shownAs word: String? = nil,
        aliases: [String] = [], isRequired: Bool = false, _ summary: String
    ) {
        let shown: String =
            switch form.show(fallback) {
            case .scalar(let text): text
            case .list(let items): items.joined(separator: ", ")
            }
        entry = KeyEntry(
            name: name, shape: form.isList ? .list : .scalar, type: form.type, unit: form.unit,
            accepted: form.accepted, bounds: form.bounds, defaultText: word ?? shown,
            isDefaultLiteral: word == nil && !shown.isEmpty, summary: summary, aliases: aliases,
            isSecret: form.isSecret, isRequired: isRequired)
        self.fallback = fallback
        self.form = form
    }
}

/// A key whose value is a map from names to values of one form.
struct MapKey<Element: Sendable>: Sendable {
    let entry: KeyEntry
    let fallback: [String: Element]
    let form: ValueForm<Element>
    /// Whether names are taken in lower case.
    let foldsCase: Bool

    init(
        _ name: String, _ form: ValueForm<Element>, default fallback: [String: Element], foldsCase: Bool = false,
        _ summary: String
    ) {
        let shown = fallback.sorted { $0.key < $1.key }.compactMap { name, element in
            if case .scalar(let text) = form.show(element) { "\(name)=\(text)" } else { nil }
        }
        entry = KeyEntry(
            name: name, shape: .map, type: "map of \(form.type)", unit: form.unit, accepted: form.accepted,
            bounds: form.bounds, defaultText: shown.isEmpty ? "none" : shown.joined(separator: ","),
            isDefaultLiteral: !shown.isEmpty, summary: summary, aliases: [], isSecret: form.isSecret,
            isRequired: false)
        self.fallback = fallback
        self.form = form
        self.foldsCase = foldsCase
    }
}
