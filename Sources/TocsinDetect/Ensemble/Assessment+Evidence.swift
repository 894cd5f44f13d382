extension Assessment {
    /// What the bank says in units of its decision limit: 1 and above exactly where it calls the reading anomalous (a
    /// condition goes on with readings that are themselves ordinary).
    public var evidence: Double {
        // score = surprise / (surprise + limit).
        let ratio = score < 1 ? score / (1 - score) : surprise
        return isAnomalous ? max(ratio, 1) : min(ratio, 1.0.nextDown)
    }
}
