internal import TocsinCore

/// A value as text, before it is read and when it is shown.
enum SettingText: Sendable, Equatable {
    case scalar(String)
    case list([String])
}

/// Why a text is no value of its form: completes the sentence "expected …".
struct InvalidValue: Error {
    var expected: String
}

/// One kind of value: how it is called, what it accepts, how it is read and shown.
struct ValueForm<Value: Sendable>: Sendable {
    var type: String
    var unit: String?
    /// Completes "expected …".
    var accepted: String
    /// The same for a table: `0 to 65535`; nil where the type says it all.
    var bounds: String?
    var isList = false
    var isSecret = false
    var parse: @Sendable (SettingText) throws(InvalidValue) -> Value
    var show: @Sendable (Value) -> SettingText

    /// A form of one text.
    /// - Parameter trims: whether space around the text is ignored.
    init(
        type: String, unit: String? = nil, accepted: String, bounds: String? = nil, trims: Bool = true,
        isSecret: Bool = false, read: @escaping @Sendable (String) -> Value?,
        show: @escaping @Sendable (Value) -> String
    ) {
        self.type = type
        self.unit = unit
        self.accepted = accepted
        self.bounds = bounds
        self.isSecret = isSecret
        self.parse = { (text) throws(InvalidValue) in
            guard case .scalar(let scalar) = text, let value = read(trims ? scalar.trimmed : scalar) else {
                throw InvalidValue(expected: accepted)
            }
            return value
        }
        self.show = { .scalar(show($0)) }
    }

    /// A list of values of another form.
    init<Element>(listOf element: ValueForm<Element>) where Value == [Element] {
        type = "list of \(element.type)"
        unit = element.unit
        accepted = "a list, each \(element.accepted)"
        bounds = element.bounds
        isList = true
        isSecret = element.isSecret
        parse = { (text) throws(InvalidValue) in
            guard case .list(let items) = text else { throw InvalidValue(expected: "a list") }
            var values: [Element] = []
            for item in items { values.append(try element.parse(.scalar(item))) }
            return values
        }
        show = { values in
            .list(values.compactMap { if case .scalar(let text) = element.show($0) { text } else { nil } })
        }
    }

    /// A form that may be absent, written as `word`.
    init<Wrapped>(_ form: ValueForm<Wrapped>, orNone word: String) where Value == Wrapped? {
        type = form.type
        unit = form.unit
        accepted = form.accepted + (word.isEmpty ? "" : ", or \(word)")
        bounds = form.bounds.map { $0 + (word.isEmpty ? "" : ", or `\(word)`") }
        isSecret = form.isSecret
        parse = { (text) throws(InvalidValue) in
            if text == .scalar(word) { return nil }
            do throws(InvalidValue) { return try form.parse(text) } catch {
                throw InvalidValue(expected: error.expected + (word.isEmpty ? "" : ", or \(word)"))
            }
        }
        show = { $0.map(form.show) ?? .scalar(word) }
    }
}
