"""The reference of the assignment `language_model`: a tokenizer and a small language model.

One readable file for each part, written from the papers, in float64 where numbers are real:

    tokenizer      byte-pair encoding            Sennrich, Haddow and Birch 2016
    layers         RMSNorm, SwiGLU, RoPE         Zhang and Sennrich 2019; Shazeer 2020; Su et al. 2021
    attention      causal attention, the model   Vaswani et al. 2017; Touvron et al. 2023
    optimisation   AdamW, schedule, clipping     Loshchilov and Hutter 2017, 2019; Pascanu et al. 2013
    sampling       temperature, top-k, top-p     Fan et al. 2018; Holtzman et al. 2020; Jelinek et al. 1977
    paper          the numbers on paper

`misconceptions` is the bank, `replay` and `inquiry` name the mistake behind a wrong result, `solution` is a whole
hand-in as a good student writes it.
"""
