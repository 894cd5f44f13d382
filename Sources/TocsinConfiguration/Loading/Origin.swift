/// Where a value came from.
public enum Origin: Sendable, Hashable, CustomStringConvertible {
    case `default`
    case file(path: String, line: Int)
    case environment(variable: String)
    /// The content of the file that the variable names.
    case environmentFile(variable: String, path: String)
    case flag(String)

    public var description: String {
        switch self {
        case .default: "default"
        case .file(let path, let line): "\(path):\(line)"
        case .environment(let variable): "environment variable \(variable)"
        case .environmentFile(let variable, let path): "environment variable \(variable), file \(path)"
        case .flag(let name): "flag \(name)"
        }
    }
}
