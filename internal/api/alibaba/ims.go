package alibaba

func imsActions() []action { return nil }
