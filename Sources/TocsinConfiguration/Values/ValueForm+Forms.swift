internal import TocsinCore

extension ValueForm<String> {
    static let text = ValueForm(type: "text", accepted: "a text", trims: false, read: { $0 }, show: { $0 })
    static let path = ValueForm(
        type: "path", accepted: "the path of a file or folder", trims: false,
        read: { $0.isEmpty || $0.utf8.contains(0) ? nil : $0 }, show: { $0 })
}

extension ValueForm<String?> {
    /// A text that may be empty, which means absent.
    static let optionalText = ValueForm(.text, orNone: "")
    static let optionalPath = ValueForm(.path, orNone: "")
}

extension ValueForm<Bool> {
    static let flag = ValueForm(
        type: "true or false", accepted: "true or false",
        read: {
            switch $0.lowercased() {
            case "true", "yes", "on", "1": true
            case "false", "no", "off", "0": false
            default: nil
            }
        }, show: { $0 ? "true" : "false" })
}

extension ValueForm<Int> {
    static func integer(_ range: ClosedRange<Int>, unit: String? = nil) -> ValueForm {
        let isOpen = range.upperBound == .max
        let bounds = isOpen ? "at least \(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
        return ValueForm(
            type: "integer", unit: unit, accepted: "a whole number \(isOpen ? "of" : "from") \(bounds)",
            bounds: bounds,
            read: { text in Int(text.filter { $0 != "_" }).flatMap { range.contains($0) ? $0 : nil } },
            show: { String($0) })
    }

    static func bytes(_ range: ClosedRange<Int>) -> ValueForm {
        let (low, high) = (Quantity.text(bytes: Int64(range.lowerBound)), Quantity.text(bytes: Int64(range.upperBound)))
        return ValueForm(
            type: "size", accepted: "a size such as 64MiB, from \(low) to \(high)", bounds: "\(low) to \(high)",
            read: { text in
                Quantity.bytes(text).flatMap { Int(exactly: $0) }.flatMap { range.contains($0) ? $0 : nil }
            },
            show: { Quantity.text(bytes: Int64($0)) })
    }
}

extension ValueForm<UInt64> {
    static let seed = ValueForm(
        type: "integer", accepted: "a whole number from 0 to \(UInt64.max)",
        read: { text in UInt64(text.filter { $0 != "_" }) }, show: { String($0) })
}

extension ValueForm<Double> {
    /// A finite number within the range; `above` true excludes the lower bound.
    static func number(_ range: ClosedRange<Double>, above: Bool = false, unit: String? = nil) -> ValueForm {
        let low = Self.plain(range.lowerBound)
        let high = range.upperBound.isFinite ? " and at most \(Self.plain(range.upperBound))" : ""
        return ValueForm(
            type: "number", unit: unit, accepted: "a number \(above ? "above" : "of at least") \(low)\(high)",
            bounds: "\(above ? "above" : "at least") \(low)\(high.replacing(" and", with: ","))",
            read: { text in
                guard let number = Double(text), number.isFinite, range.contains(number),
                    !above || number > range.lowerBound
                else { return nil }
                return number
            }, show: { Self.plain($0) })
    }

    /// Without the `.0` of whole numbers.
    static func plain(_ number: Double) -> String {
        Int64(exactly: number).map(String.init) ?? number.description
    }
}

extension ValueForm<Span64> {
    static func duration(_ range: ClosedRange<Span64>) -> ValueForm {
        let bounds = "\(Quantity.text(range.lowerBound)) to \(Quantity.text(range.upperBound))"
        return ValueForm(
            type: "duration", accepted: "a duration such as 250ms, 30s, 5m, 1h or 7d, from \(bounds)", bounds: bounds,
            read: { text in Quantity.duration(text).flatMap { range.contains($0) ? $0 : nil } },
            show: { Quantity.text($0) })
    }
}

extension ValueForm<Secret> {
    static let secret = ValueForm(
        type: "secret", accepted: "a text", trims: false, isSecret: true, read: { Secret($0) }, show: { "\($0)" })
}

extension ValueForm<SecretURL?> {
    static let webAddress = ValueForm(
        type: "address", accepted: "an address such as https://example.com/hook",
        bounds: "http or https", isSecret: true,
        read: { text in SecretURL(text).map(Optional.some) }, show: { $0.map { "\($0)" } ?? "" })
}

extension ValueForm<ClosedRange<Double>?> {
    /// `-50..120`; either bound may be infinite, nil is written `off`.
    static let limits = ValueForm(
        type: "range", accepted: "two numbers, low and high, such as [-50, 120] or -50..120, or off",
        bounds: "`[low, high]`, `low..high` or `off`",
        read: { text in
            if text.lowercased() == "off" { return .some(nil) }
            guard let dots = text.firstRange(of: "..") ?? text.firstRange(of: "…"),
                let low = Double(String(text[..<dots.lowerBound]).trimmed),
                let high = Double(String(text[dots.upperBound...]).trimmed), low < high
            else { return nil }
            return .some(low...high)
        },
        show: { range in
            range.map { "\(ValueForm<Double>.plain($0.lowerBound))..\(ValueForm<Double>.plain($0.upperBound))" }
                ?? "off"
        })
}

extension ValueForm where Value: RawRepresentable<String> & CaseIterable & Sendable {
    /// One word of a closed set.
    static var choice: ValueForm { choice(note: "") }

    /// - Parameter note: what is to be known besides the words.
    static func choice(note: String) -> ValueForm {
        let words = Value.allCases.map(\.rawValue)
        return ValueForm(
            type: "choice", accepted: "one of \(words.joined(separator: ", "))\(note)",
            bounds: words.map { "`\($0)`" }.joined(separator: ", "),
            read: { Value(rawValue: $0) }, show: { $0.rawValue })
    }
}

extension ValueForm<AnomalyKind> {
    /// What detectors find.
    static let anomalyKind = kind(of: AnomalyKind.allCases)
    /// What alarms are about: the program's own troubles too.
    static let alarmKind = kind(of: AnomalyKind.allCases + [.system])

    private static func kind(of kinds: [AnomalyKind]) -> ValueForm {
        ValueForm(
            type: "choice", accepted: "one of \(kinds.map(\.name).joined(separator: ", "))",
            bounds: kinds.map { "`\($0.name)`" }.joined(separator: ", "),
            read: { name in kinds.first { $0.name == name } }, show: { $0.name })
    }
}
