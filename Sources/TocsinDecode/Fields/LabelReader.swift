internal import TocsinCore

/// Turns the words that came as ground truth into a label.
struct LabelReader: Sendable {
    /// True: a label column was named, so that any word but a normal one marks an anomaly. Otherwise only words that
    /// plainly are ground truth count, because "label" may as well be a name plate.
    let isExplicit: Bool

    private static let normal: Set<String> = ["", "no", "n", "f", "normal", "benign", "none", "ok"]
    private static let anomalous: Set<String> = ["yes", "y", "t", "anomaly", "anomalous", "abnormal"]

    private static let kinds = Dictionary(uniqueKeysWithValues: AnomalyKind.allCases.map { ($0.name, $0) })

    func label(_ word: Span<UInt8>) -> EventLabel {
        switch CSVNumber.read(word, allowsDecimalComma: true) {
        case .number(let number): return number == 0 ? .normal : .anomalous
        case .absent: return .none
        case .notFinite, .word: break
        }
        let word = Self.lowered(word)
        if Self.normal.contains(word) { return .normal }
        if Self.anomalous.contains(word) { return .anomalous }
        if let kind = Self.kinds[word] { return .anomalous(kind) }
        return isExplicit ? .anomalous : .none
    }

    /// The flag, made precise by the kind of anomaly where one is given.
    func label(flag: EventLabel, kind word: Span<UInt8>) -> EventLabel {
        if flag == .normal || word.count == 0 { return flag }
        let word = Self.lowered(word)
        if Self.normal.contains(word) || word == "0" { return flag == .none ? .normal : flag }
        if let kind = Self.kinds[word] { return .anomalous(kind) }
        return flag == .none ? .anomalous : flag
    }

    /// At most 32 bytes: no word of interest is longer.
    private static func lowered(_ word: Span<UInt8>) -> String {
        var bytes: [UInt8] = []
        for position in 0..<min(word.count, 32) {
            let byte = word[position]
            bytes.append(UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte ? byte | 0x20 : byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
