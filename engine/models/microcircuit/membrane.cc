#include "engine/models/microcircuit/membrane.h"

namespace prospero::microcircuit {

Membrane::Membrane(const MicrocircuitConductances& conductances)
    : g(conductances),
      tau_hidden(1.0 / (g.leak + g.basal + g.apical)),
      tau_output(1.0 / (g.leak + g.basal + g.target)),
      tau_interneuron(1.0 / (g.leak + g.dendrite + g.interneuron)),
      basal_hidden(g.basal * tau_hidden),
      basal_output(g.basal / (g.leak + g.basal)),
      apical(g.apical * tau_hidden),
      dendrite(g.dendrite / (g.leak + g.dendrite)),
      interneuron(g.interneuron * tau_interneuron) {}

}  // namespace prospero::microcircuit
