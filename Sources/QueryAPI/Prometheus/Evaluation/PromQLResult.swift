/// What a query came to.
enum PromQLResult: Sendable {
    struct Series: Sendable {
        var labels: SeriesLabels
        /// Of each step; nil: none.
        var values: [Double?]
    }

    /// The same at each step.
    case scalar(Double)
    case vector([Series])
    /// The samples of ranges.
    case samples([(labels: SeriesLabels, samples: [Sample])])
}
