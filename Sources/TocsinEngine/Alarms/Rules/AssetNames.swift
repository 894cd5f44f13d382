/// Which sensors belong together: an asset is what a person repairs as one thing.
///
/// A configured group comes first; else everything before the last separator of the sensor's name
/// ("line_1/pump_3/inlet" → "line_1/pump_3"); else the sensor is an asset by itself.
public struct AssetNames: Sendable {
    public struct Group: Sendable {
        public var name: String
        public var patterns: [NamePattern]

        public init(name: String, patterns: [NamePattern]) {
            self.name = name
            self.patterns = patterns
        }
    }

    public var groups: [Group]
    /// nil = names are not cut.
    public var separator: Character?

    public init(groups: [Group] = [], separator: Character? = "/") {
        self.groups = groups
        self.separator = separator
    }

    public func asset(of sensor: String) -> String {
        if let group = groups.first(where: { $0.patterns.contains { $0.matches(sensor) } }) { return group.name }
        guard let separator, let cut = sensor.lastIndex(of: separator), cut > sensor.startIndex else { return sensor }
        return String(sensor[..<cut])
    }
}
