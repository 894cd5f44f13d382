#if canImport(Glibc)
internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
public import TocsinCore

/// What a figure was measured on: without it a figure says nothing.
public struct Machine: Sendable {
    public var processors: Int
    public var model: String
    /// Operating system and its version.
    public var system: String

    public static func current() -> Machine {
        var name = utsname()
        uname(&name)
        let system = text(of: name.sysname) + " " + text(of: name.release)
        return Machine(
            processors: max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))),
            model: model() ?? text(of: name.machine), system: system)
    }

    /// One line: `2 × AMD EPYC, Linux 6.1.0`.
    public var line: String { "\(processors) × \(model), \(system)" }

    /// Writes the fields of a JSON object.
    public func write(to json: inout JSONWriter) {
        json.field("processors", processors)
        json.field("model", model)
        json.field("system", system)
    }

    private static func model() -> String? {
        guard let file = fopen("/proc/cpuinfo", "r") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 1024)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard text.hasPrefix("model name"), let colon = text.firstIndex(of: ":") else { continue }
            let name = text[text.index(after: colon)...].split(whereSeparator: \.isWhitespace)
            return name.isEmpty ? nil : name.joined(separator: " ")
        }
        return nil
    }

    private static func text<Characters>(of characters: Characters) -> String {
        withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
